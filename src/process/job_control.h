// The controlling terminal: who is in its foreground, and stopping and going on with the child.
// The child has a process group of its own, so that a signal to our group, or a Ctrl-C, reaches it
// once. Without a terminal, and as PID 1, we never stop ourselves.
#pragma once

#include <sys/types.h>

#include "base/unique_fd.h"

namespace integcov::process {

class JobControl {
 public:
  // Looks for a controlling terminal.
  JobControl();

  // In the child, between fork and exec: async-signal-safe.
  void enter_child() const;
  // In the parent, right after fork: whoever of the two comes first does it.
  void adopt_child(pid_t child) const;

  // The child was stopped by `signal`: stop with it, so that a shell sees the job stop. Returns
  // when continued (SIGCONT is pending then), or at once when nobody could continue us: then a
  // child stopped by SIGTSTP goes on, as it would have without us.
  void child_stopped(pid_t child, int signal) const;
  // SIGCONT came: give the child the terminal if we have it, and let it go on.
  void continued(pid_t child) const;
  // Sends the child a signal that came to us; not a stop that it must not get (may_send_stop).
  void forward(int signal, pid_t child) const;
  // The child is gone: the terminal is ours again if it was the child's.
  void child_gone(pid_t child) const;

  // Whether SIGTSTP, SIGTTIN or SIGTTOU may be sent to the child: as PID 1 or without a terminal
  // only if it catches them (it would be stopped for ever by us; a Cloud Run job sends SIGTSTP
  // before it migrates).
  [[nodiscard]] bool may_send_stop(int signal, pid_t child) const;

 private:
  UniqueFd terminal_;        // none without a controlling terminal
  bool foreground_ = false;  // our group had the terminal when we started
};

// SigCgt of /proc/PID/status (proc(5)); false also when it can't be read.
bool catches_signal(pid_t pid, int signal);

}  // namespace integcov::process
