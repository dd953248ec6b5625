// Reaps every child: the app, and as PID 1 or subreaper the orphans that it leaves.
#pragma once

#include <sys/types.h>

#include <optional>
#include <vector>

#include "base/exit_status.h"

namespace integcov::process {

struct Reaped {
  std::optional<ExitStatus> main;   // the main child ended; its pid may be taken anew from now on
  std::optional<int> main_stopped;  // it is stopped, by this signal
  std::vector<pid_t> ended;         // all pids reaped now, the main child's included
  bool none_left = false;           // there is no child any more but those of before our start
};

// Orphans of our descendants become our children (prctl(2) PR_SET_CHILD_SUBREAPER), as they are
// PID 1's anyway.
void become_subreaper();

// Our children, zombies too; none if that can't be told (no /proc).
std::vector<pid_t> children();

// Takes all that is there to take, without waiting. `earlier` are children that were there before
// our start (Inherited); those that have ended are taken off it.
Reaped reap(pid_t main_child, std::vector<pid_t>& earlier);

}  // namespace integcov::process
