// Snapshots of running Go programs taken from outside: their counters are read through
// /proc/PID/mem and written as the covcounters file that the program itself would write. The
// program isn't stopped and gets no signal; any -covermode will do.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <variant>

#include "process/boot_clock.h"
#include "supervise/sighting.h"

namespace integcov::app {

// A file was written; its name, covcounters.HASH.PID.NS, in GOCOVERDIR.
struct Written {
  std::string name;
  supervise::Sighting seen;  // whose memory it is, exact
};
// No counter moved since the last snapshot of this process.
struct Unchanged {};
// Not now: the program is starting and has not written its covmeta into GOCOVERDIR, or it is gone.
struct NotYet {};
// No Go program, built without -cover, or with another GOCOVERDIR. It stays so until the process
// calls execve.
struct NotCoverBuilt {};
// It can't be read. `why` ends a sentence that names the program: "…: WHY". `for_good`: no use in
// trying again before the process calls execve.
struct Failed {
  std::string why;
  bool for_good = true;
};

using Taken = std::variant<Written, Unchanged, NotYet, NotCoverBuilt, Failed>;

class MemorySnapshots {
 public:
  // `coverdir`: absolute path of GOCOVERDIR. Without a clock Sighting::since_ns isn't known.
  explicit MemorySnapshots(std::string coverdir, const process::BootClock* clock = nullptr);
  MemorySnapshots(MemorySnapshots&&) noexcept;
  MemorySnapshots& operator=(MemorySnapshots&&) noexcept;
  ~MemorySnapshots();

  // Told before the first file of an image gets its name.
  using BeforeTheFirst = std::function<void(const Written& file)>;

  // The file holds one image's counters, never two: what runs is the same before and after. No
  // counter is smaller than in the last snapshot of the process, but for wrapping at 2^32 and
  // runtime/coverage.ClearCounters. Never blocks on the process.
  Taken take(pid_t pid, const BeforeTheFirst& before = {});

  // Frees what is remembered of all other processes: these run.
  void keep_only(const std::set<pid_t>& running);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace integcov::app
