// The shell around the session: translates loop events into its events and its actions into work.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "app/preflight.h"
#include "app/stderr_log.h"
#include "app/storage_access.h"
#include "event/loop.h"
#include "event/timer.h"
#include "process/job_control.h"
#include "process/signal_source.h"
#include "storage/backend.h"
#include "supervise/session.h"
#include "watch/control_folder.h"
#include "watch/watcher.h"

namespace integcov::app {

class Supervisor {
 public:
  // `child` was just started with plan.config.coverdir. Throws std::runtime_error when the kernel
  // has no fds for a loop: use process::plain_wait() then.
  Supervisor(const Plan& plan, std::map<std::string, std::string> metadata, pid_t child,
             const process::JobControl& job_control, StderrLog& log);

  // Runs until the session ends; our exit code.
  int run();

 private:
  static constexpr pid_t kGone = 0;

  void tell(supervise::Event event);
  void pump();

  void on_signal(int signal);
  void reap();
  void on_finished(const std::string& path);
  void on_lost();

  void perform(const supervise::ForwardSignal& action);
  void perform(const supervise::ListFolder& action);
  void perform(const supervise::CloseWatch& action);
  void perform(supervise::StartUpload& action);
  void perform(const supervise::AbortUpload& action);
  void perform(const supervise::Prepare& action);
  void perform(const supervise::RecordUploaded& action);
  void perform(const supervise::WriteLog& action);
  void perform(const supervise::Exit& action);

  void read_ledger();
  bool is_own(const std::string& path);
  storage::Backend& backend();  // throws when there can be none

  const Plan& plan_;
  std::map<std::string, std::string> metadata_;
  const process::JobControl& job_control_;
  StderrLog& log_;
  pid_t child_;  // kGone once reaped
  std::set<pid_t> own_pids_;
  WallTime started_;
  std::string destination_;
  std::optional<watch::ControlFolder> control_;  // only with a storage
  coverage::ReadySet::Scope scope_;
  bool recurse_;
  std::optional<supervise::Session> session_;
  std::deque<supervise::Event> inbox_;
  bool pumping_ = false;
  bool told_incomplete_ = false;
  int exit_code_ = 0;

  MonoTime next_listing_{};  // not before, for lost events: listing takes a tenth of the time

  event::Loop loop_;
  event::Timer timer_;
  event::Timer lost_timer_;
  bool lost_ = false;  // lost_timer_ runs
  process::SignalSource signals_;
  watch::Watcher watcher_;
  std::optional<StorageAccess> storage_;
  std::map<upload::UploadId, std::unique_ptr<storage::Attempt>> attempts_;
};

}  // namespace integcov::app
