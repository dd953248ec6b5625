// The program and its descendants while they run: finding them, and asking their handlers for a
// snapshot (src/handler).
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "supervise/flush.h"

namespace integcov::app {

// `hashes`: of the covmeta files that are known.
supervise::ProcessesFound find_processes(const std::string& coverdir, pid_t main,
                                         const std::vector<std::string>& hashes);

// Sends the signal if the process catches it: one that doesn't would be ended by it.
supervise::SnapshotSignalled signal_snapshot(const supervise::SignalSnapshot& asked, pid_t main);

}  // namespace integcov::app
