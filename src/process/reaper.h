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
  bool none_left = false;           // there is no child at all any more
};

// Orphans of our descendants become our children (prctl(2) PR_SET_CHILD_SUBREAPER), as they are
// PID 1's anyway.
void become_subreaper();

// Takes all that is there to take, without waiting.
Reaped reap(pid_t main_child);

}  // namespace integcov::process
