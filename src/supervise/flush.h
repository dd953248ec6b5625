// When snapshots of the running program's counters are taken, and how: by a signal to a handler
// that writes one, or by reading its memory. A round takes one of each process that can give one.
//
//   due, or asked for ──> FindProcesses ──> SignalSnapshot ──> its file came, or the wait is over
//                                      └──> ReadSnapshot ──> read, or why not
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/file_entry.h"
#include "base/random.h"
#include "base/time.h"
#include "config/flush_options.h"
#include "supervise/sighting.h"

namespace integcov::supervise {

// Answer with ProcessesFound: the program and its descendants that run now.
struct FindProcesses {
  std::vector<std::string> hashes;  // of the covmeta files that are known
};

// If the process catches the signal, send it; answer with SnapshotSignalled.
struct SignalSnapshot {
  std::uint32_t pid = 0;
  int signal = 0;
  bool to_go = false;  // it is a Go program, which has said so
};

// Read the process's counters and write them to GOCOVERDIR; answer with SnapshotRead.
struct ReadSnapshot {
  std::uint32_t pid = 0;
};

struct ProcessesFound {
  struct Process {
    std::uint32_t pid = 0;
    bool main = false;
    std::string image;          // as in Sighting
    bool exact = false;         // as well
    int handler_signal = 0;     // it has said that it writes a snapshot when it gets this; or 0
    std::string handler_error;  // it has said why it can't
  };
  std::vector<Process> processes;
  // By pid, of all, also those that may not be looked into or are just forked: as in Sighting.
  std::map<std::uint32_t, std::uint64_t> process_starts;
  std::uint32_t last_pid = 0;  // that was given to any process when they were listed; 0: not known
  std::map<std::string, MetaStamp> metas;  // by hash, taken before the first was looked at
  std::int64_t end_ns = 0;                 // CLOCK_REALTIME, after the last was
};

struct SnapshotSignalled {
  std::uint32_t pid = 0;
  bool sent = false;
  std::int64_t at_ns = 0;  // CLOCK_REALTIME, before it was sent
  bool uncaught = false;   // not sent: it would end the process
};

struct SnapshotRead {
  enum class Result {
    written,
    unchanged,  // no counter moved
    not_yet,    // too early: the process is starting, or is gone
    nothing,    // no Go program, or not built with -cover
    failed,
  };
  std::uint32_t pid = 0;
  Result result = Result::nothing;
  std::string why;  // failed: the end of a sentence
  FileEntry file;   // written
  Sighting seen;    // written: whose memory it is, exact
};

class Flush {
 public:
  // No snapshot is taken on an interval so soon after the start: the program is about to begin, and
  // the file system's clock must tell a file from the start of its image.
  static constexpr Duration kSettle = std::chrono::milliseconds(50);
  // After a stop signal the app has that long to end by itself before a snapshot is taken …
  static constexpr Duration kAfterStop = std::chrono::seconds(1);
  // … and one more so long before the grace is over.
  static constexpr Duration kBeforeTheEnd = std::chrono::milliseconds(1500);
  // Then a handler is waited for so long at most, before the memory is read.
  static constexpr Duration kHurriedWait = std::chrono::milliseconds(500);
  static constexpr Duration kLongestInterval = std::chrono::minutes(10);

  Flush(const config::FlushOptions& options, std::uint64_t seed)
      : options_(options), interval_(options.interval), random_(seed) {}

  // The program was built with -cover and runs: from now on there is something to flush.
  void coverage_seen(MonoTime now);
  // A stop signal went to the app, which may take until `end`.
  void stop_requested(MonoTime now, MonoTime end);
  // A snapshot now, or soon after coverage is seen. `forwarded_ns`: the program itself was sent the
  // flush signal then (CLOCK_REALTIME), which is its request.
  void requested(MonoTime now, std::optional<std::int64_t> forwarded_ns);
  // A snapshot then, for a reason of ours; false if one is wanted sooner. None where the user takes
  // each to be asked for, or gets each signal.
  bool want(MonoTime at);
  // The app is gone: nothing is taken any more.
  void end();
  // Each snapshot takes more room in storage: take fewer from now on.
  void lengthen() { lengthened_ = true; }

  using Request = std::variant<FindProcesses, SignalSnapshot, ReadSnapshot>;
  std::optional<Request> next(MonoTime now);
  [[nodiscard]] std::optional<MonoTime> deadline() const;

  void on(const ProcessesFound& found, MonoTime now);
  void on(const SnapshotSignalled& answer, MonoTime now);
  void on(const SnapshotRead& answer, MonoTime now);
  // An image of a program has started. Whoever became another one will not answer any more.
  void image_started();
  // A counters file of that process has appeared.
  void counters_written(std::uint32_t pid, std::uint64_t time_ns, MonoTime now);

  // Sentences for the user since the last call, one of a kind in a run.
  std::vector<std::string> take_warnings() { return std::exchange(warnings_, {}); }
  // How the program's own snapshots are taken: "signal", "memory", "none" so far, or "off".
  [[nodiscard]] std::string method() const;
  [[nodiscard]] Duration interval() const { return interval_; }

 private:
  struct Awaited {
    std::int64_t since_ns = 0;
    MonoTime until;
    bool main = false;
    std::string image;  // as in ProcessesFound
  };

  [[nodiscard]] bool off() const { return options_.mode == config::FlushMode::off; }
  [[nodiscard]] Duration wait() const;
  void begin(MonoTime now);
  void finish_round(MonoTime now);
  void take(const ProcessesFound::Process& process, MonoTime now);
  void not_by_signal(std::uint32_t pid);
  void give_up_waiting(MonoTime now);
  void forget_who_is_another(const ProcessesFound& found);
  void warn_once(const std::string& key, std::string sentence);

  config::FlushOptions options_;
  Duration interval_;
  Random random_;
  bool covered_ = false;
  bool wanted_ = false;                // asked for before there was coverage
  std::optional<MonoTime> wanted_at_;  // that is, when the program has settled
  bool ended_ = false;
  bool lengthened_ = false;
  std::optional<MonoTime> due_;        // the interval's next
  std::vector<MonoTime> before_kill_;  // after a stop signal
  bool in_round_ = false;
  bool hurried_ = false;                            // the round is one of those after a stop signal
  bool again_ = false;                              // asked for while a round was under way
  std::optional<std::int64_t> forwarded_ns_;        // of the round
  std::optional<std::int64_t> forwarded_again_ns_;  // of the next one
  std::deque<Request> requests_;
  bool finding_ = false;
  bool checking_ = false;                        // whether who is awaited is still the same
  std::map<std::uint32_t, std::string> images_;  // of the round
  std::set<std::uint32_t> asked_;                // signalled or read: no answer yet
  std::map<std::uint32_t, Awaited> awaited_;
  std::map<std::uint32_t, std::uint64_t> newest_ns_;  // since the round was begun or asked for
  std::uint32_t main_ = 0;
  std::string method_ = "none";
  std::set<std::string> warned_;
  std::vector<std::string> warnings_;
};

}  // namespace integcov::supervise
