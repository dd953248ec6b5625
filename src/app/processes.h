// The program and its descendants while they run: finding them, and asking their handlers for a
// snapshot (src/handler).
#pragma once

#include <sys/types.h>

#include <string>

#include "supervise/flush.h"

namespace integcov::app {

supervise::ProcessesFound find_processes(const std::string& coverdir, pid_t main);

// Sends the signal if the process catches it: one that doesn't would be ended by it.
supervise::SnapshotSignalled signal_snapshot(const supervise::SignalSnapshot& asked, pid_t main);

}  // namespace integcov::app
