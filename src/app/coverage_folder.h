// GOCOVERDIR as this run has it. A run has a folder for itself: whose snapshot a file is can be
// told only where nobody but its own processes writes (docs/decisions/0008).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/stderr_log.h"
#include "config/config.h"
#include "supervise/snapshots.h"
#include "watch/control_folder.h"
#include "watch/watcher.h"

namespace integcov::app {

struct CoverageFolder {
  std::string path;                                  // the program's GOCOVERDIR
  std::optional<watch::ControlFolder> control;       // its; none where fds are too few
  std::vector<std::string> ledgers;                  // of runs whose files were moved here
  std::vector<supervise::LeftRunning> left_running;  // of ended runs in the folder
  // If there are some: file events from `watched_since` on, in clock ticks since boot, before they
  // were looked at. The program starts in a later tick.
  watch::Watcher::Begun watch;
  std::uint64_t watched_since = 0;
  bool own = false;      // made for this run alone, below the one that was asked for
  bool shared = false;   // files of other runs may appear, too
  bool writable = true;  // for the program
};

// Before the program starts: makes config.coverdir if it isn't there, takes it, and puts right what
// ended runs left in it. If another supervisor has it, the program gets a folder of its own below
// it. Says what the user should know.
CoverageFolder take_folder(const config::Config& config, const std::string& run, StderrLog& log);

// After the run, in the folder that was asked for. The last one there moves up what runs with a
// folder of their own left, if they uploaded nothing: the folder is then all that the user has.
void leave_folder(CoverageFolder folder, const config::Config& config, StderrLog& log);

}  // namespace integcov::app
