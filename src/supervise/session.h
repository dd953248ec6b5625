// The supervisor's decisions: events and the time go in, actions come out. It reads no clock and
// touches no file, process or network; src/app does.
//
//   Running ── ChildExited ──> Draining ── all uploaded, or the deadline ──> Ended
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/time.h"
#include "coverage/ready_set.h"
#include "supervise/action.h"
#include "supervise/budget.h"
#include "supervise/event.h"
#include "supervise/flush.h"
#include "supervise/record_keeper.h"
#include "supervise/snapshots.h"
#include "upload/queue.h"

namespace integcov::supervise {

struct SessionOptions {
  // Where uploads go, as the user wrote it; empty: the files stay in GOCOVERDIR.
  std::string storage;
  std::string coverdir;  // absolute
  coverage::ReadySet::Scope scope = coverage::ReadySet::Scope::everything;
  Duration grace = std::chrono::seconds(10);
  Duration upload_timeout = std::chrono::seconds(60);
  Duration jitter{};               // before the first upload, cut short by an exit or a stop signal
  std::optional<int> stop_signal;  // what the child gets for SIGTERM
  config::FlushOptions flush;
  bool fail_on_upload_error = false;
  std::size_t parallel = upload::Queue::kParallel;              // uploads at once
  Duration between_versions = upload::Queue::kBetweenVersions;  // of one object
  std::uint64_t seed = 0;                                       // of the backoff
  std::int64_t start_ns = 0;      // CLOCK_REALTIME: the program started then or later
  std::int64_t run_start_ns = 0;  // files that were modified before are of an earlier run
  // Other runs may write to coverdir: no file takes another one's place, no snapshots are taken.
  bool shared_folder = false;
  std::vector<LeftRunning> left_running;  // in coverdir
  // Each ImageStarting is told from that tick on, before these were looked at.
  std::optional<std::uint64_t> watched_since;
  bool own_folder = false;  // coverdir is made for this run: where its files end is said later
  bool unwritable_folder = false;  // for the program: that was said
};

class Session {
 public:
  // How long processes that outlive the main one may go on writing.
  static constexpr Duration kDescendantsWait = std::chrono::seconds(1);
  // When file events are first asked for, and the folder is listed for what is there by then. A
  // program that ends sooner needs none: closing a watch that was just made waits for the kernel's
  // grace periods (5 to 20 ms measured on 6.18).
  static constexpr Duration kBeforeTheWatch = std::chrono::milliseconds(20);
  // When the folder is listed once more in case that they don't work here (gVisor, some mounts).
  static constexpr Duration kFirstLook = std::chrono::seconds(1);
  // After so long a wait for uploads at the end the user is told what we are waiting for.
  static constexpr Duration kWorthALine = std::chrono::seconds(3);
  // After that many failed tries of one file while the app runs, the user is told.
  static constexpr int kWorthAWarning = 5;
  // While a snapshot is undecided, others are taken of who has started by then: after this time,
  // and twice as long each time.
  static constexpr Duration kWhoRuns = std::chrono::milliseconds(300);
  // A stop signal that follows another one so soon finds everything still prepared.
  static constexpr Duration kPrepared = std::chrono::seconds(5);

  // The main child was just started.
  Session(SessionOptions options, MonoTime now);

  // A file that an earlier run uploaded to the same storage. Before the first event.
  void already_uploaded(const FileEntry& file) { ready_.already_uploaded(file); }

  // What the child gets for that signal at once, where nothing has to be done before: it need not
  // wait for what else the signal means to us, which the event asks for afterwards.
  [[nodiscard]] std::optional<int> passes_on(const SignalArrived& event) const;

  void handle(const Event& event, MonoTime now);

  // The next thing to do; nullopt: nothing until an event or deadline(). After Exit there is none.
  std::optional<Action> next_action(MonoTime now);

  // When next_action() must be asked again even if no event comes.
  [[nodiscard]] std::optional<MonoTime> deadline() const;

 private:
  enum class Phase { running, draining, ended };

  void on(const SignalArrived& event, MonoTime now);
  void on(const ChildExited& event, MonoTime now);
  void on(const DescendantsGone& event, MonoTime now);
  void on(const FileFinished& event, MonoTime now);
  void on(const EventsLost& event, MonoTime now);
  void on(const ImageStarting& event, MonoTime now);
  void on(const StartsWatched& event, MonoTime now);
  void on(const FolderListed& event, MonoTime now);
  void on(const UploadFinished& event, MonoTime now);
  void on(const WriterSeen& event, MonoTime now);
  void on(const SnapshotFolded& event, MonoTime now);
  void on(const ProcessesFound& event, MonoTime now);
  void on(const SnapshotSignalled& event, MonoTime now);
  void on(const SnapshotRead& event, MonoTime now);

  [[nodiscard]] int for_the_child(int signal) const;
  void saw(const FileEntry& file, MonoTime now);
  void saw_covmeta(const FileEntry& file, MonoTime now);
  [[nodiscard]] bool untold(const FileEntry& file) const;
  void upload_counters(const Snapshots::Upload& upload);
  void add_under_new_name(const FileEntry& file, const std::string& reason);
  void prepare(MonoTime now);
  void add_flush_requests(MonoTime now);
  [[nodiscard]] coverage::ReadySet::Stage stage() const;
  void list_folder();
  void log(Severity severity, std::string message);
  void log_progress(MonoTime now);
  // Once for each key in a run.
  void warn_once(const std::string& key, std::string message);
  [[nodiscard]] bool uploads() const { return !options_.storage.empty(); }
  [[nodiscard]] bool awaits_descendants(MonoTime now) const;
  [[nodiscard]] bool out_of_time() const;
  std::optional<Action> pop();
  std::optional<Action> next_while_draining(MonoTime now);
  void write_end_record();
  void end(const std::string& why_unsaved);

  SessionOptions options_;
  Phase phase_ = Phase::running;
  Budget budget_;
  coverage::ReadySet ready_;
  upload::Queue queue_;
  Snapshots snapshots_;
  Flush flush_;
  std::map<std::string, std::int64_t> covmeta_ns_;  // by hash: when it was written last
  std::int64_t watched_ns_ = 0;  // file events are told of what was written since
  Duration who_runs_ = kWhoRuns;
  RecordKeeper record_;
  bool start_recorded_ = false;
  bool end_recorded_ = false;
  std::map<std::string, Snapshots::Upload> counters_;  // by path: what was given to the queue last
  bool append_ = false;       // objects may not be replaced: snapshots go up under new names
  bool may_replace_ = false;  // one was
  std::set<upload::UploadId> replacing_;  // under way
  std::deque<Action> outbox_;
  std::set<std::string> warned_;

  std::optional<MonoTime> open_watch_;
  std::optional<MonoTime> first_look_;  // a listing that repairs file events lost at the start
  bool listing_ = false;                // ListFolder is out, FolderListed not yet in
  bool events_lost_ = false;            // after that listing began
  bool listing_failed_ = false;         // the last one
  bool look_again_ = false;  // the folder may hold something that the last listing didn't
  bool listed_without_descendants_ = false;  // that listing was asked for
  int last_looks_ = 0;                       // that and later ones, answered
  bool descendants_gone_ = false;
  MonoTime descendants_deadline_{};
  bool watch_closed_ = false;
  int stops_while_draining_ = 0;
  bool told_to_end_ = false;
  std::optional<MonoTime> prepared_;
  std::optional<MonoTime> progress_due_;
  ExitStatus child_status_;
};

}  // namespace integcov::supervise
