// The shell around the session: translates loop events into its events and its actions into work.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/coverage_folder.h"
#include "app/memory_snapshots.h"
#include "app/preflight.h"
#include "app/snapshot_files.h"
#include "app/stderr_log.h"
#include "app/storage_access.h"
#include "base/exit_status.h"
#include "event/loop.h"
#include "event/timer.h"
#include "process/boot_clock.h"
#include "process/job_control.h"
#include "process/process_memory.h"
#include "process/signal_source.h"
#include "storage/backend.h"
#include "supervise/session.h"
#include "watch/watcher.h"

namespace integcov::app {

struct Child {
  pid_t pid = 0;
  std::string program;                     // as it was started, for the record
  WallTime started;                        // then or later
  std::vector<pid_t> earlier;              // our children of before it
  std::optional<process::FileBytes> file;  // its own; what ends at once can't be looked at later
};

class Supervisor {
 public:
  // `child` has plan.config.coverdir, which is `folder`; all but its pid is taken from it.
  // Throws std::runtime_error when the kernel has no fds for a loop: use process::plain_wait()
  // then.
  Supervisor(const Plan& plan, std::map<std::string, std::string> metadata, CoverageFolder& folder,
             Child& child, const process::JobControl& job_control, StderrLog& log);

  // Runs until the session ends; how we are to end.
  ExitStatus run();

 private:
  static constexpr pid_t kGone = 0;

  void tell(supervise::Event event);
  void pump();

  void on_signal(process::SignalSource::Received received);
  void reap();
  void on_finished(const std::string& path);
  void on_made(const std::string& path);
  [[nodiscard]] supervise::StartsWatched starts_watched() const;
  void on_lost();

  void perform(const supervise::ForwardSignal& action);
  void perform(const supervise::ListFolder& action);
  void perform(const supervise::OpenWatch& action);
  void perform(const supervise::CloseWatch& action);
  void perform(supervise::StartUpload& action);
  void perform(const supervise::AbortUpload& action);
  void perform(const supervise::Prepare& action);
  void perform(const supervise::RecordUploaded& action);
  void perform(const supervise::LookAtWriter& action);
  void perform(const supervise::FoldSnapshot& action);
  void perform(const supervise::NoteWriter& action);
  void perform(const supervise::RewriteNotes& action);
  void perform(const supervise::FindProcesses& action);
  void perform(const supervise::SignalSnapshot& action);
  void perform(const supervise::ReadSnapshot& action);
  void perform(const supervise::WriteStartRecord& action);
  void perform(const supervise::WriteEndRecord& action);
  void perform(const supervise::WriteLog& action);
  void perform(const supervise::Exit& action);

  void read_ledger();
  void watch_without_events();
  void tell_listing(const std::string& trouble);
  [[nodiscard]] Writers writers(bool left) const { return {child_, left, &clock_}; }
  void write_record(const std::string& name, const std::string& record);
  storage::Backend& backend();  // throws when there can be none

  const Plan& plan_;
  std::map<std::string, std::string> metadata_;
  const process::JobControl& job_control_;
  StderrLog& log_;
  std::string program_;
  std::optional<process::FileBytes> program_file_;  // until the start record is written
  WallTime started_;
  pid_t child_;                 // kGone once reaped
  std::vector<pid_t> earlier_;  // children that aren't the program's
  std::string destination_;
  CoverageFolder& folder_;
  bool noted_ = false;  // a writer
  bool recurse_;
  process::BootClock clock_;
  MemorySnapshots memory_snapshots_;
  supervise::RunFacts facts_;  // once the start record was written
  std::optional<supervise::Session> session_;
  std::vector<supervise::Event> inbox_;
  bool pumping_ = false;
  bool told_listing_ = false;  // that some files can't be seen
  ExitStatus status_;

  MonoTime next_listing_{};  // not before, for lost events: listing takes a tenth of the time

  event::Loop loop_;
  event::Timer timer_;
  event::Timer lost_timer_;
  bool lost_ = false;  // lost_timer_ runs
  process::SignalSource signals_;
  watch::Watcher watcher_;
  event::Timer look_timer_;  // where there are no file events
  std::optional<StorageAccess> storage_;
  std::map<upload::UploadId, std::unique_ptr<storage::Attempt>> attempts_;
};

}  // namespace integcov::app
