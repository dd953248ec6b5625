// The controlling terminal: who is in its foreground, and stopping and going on with the child.
// We and the child are never in one process group, so that a signal to a group, or a Ctrl-C, comes
// once (docs/decisions/0009). As part of a shell's job the child stays in the job's group and we
// step out of it; else the child gets a group of its own, with the terminal's foreground if we had
// it. Without a terminal, and as PID 1, we never stop ourselves.
#pragma once

#include <sys/types.h>

#include "base/exit_status.h"
#include "base/unique_fd.h"

namespace integcov::process {

class JobControl {
 public:
  // Looks for a controlling terminal.
  JobControl();

  [[nodiscard]] bool has_terminal() const { return terminal_.get() >= 0; }
  // adopt_child leaves the child's process group: the program should not start before that.
  [[nodiscard]] bool steps_out() const { return job_ != 0; }

  // In the child, between fork and exec: async-signal-safe.
  void enter_child() const;
  // In the parent, right after fork.
  void adopt_child(pid_t child) const;

  // The child was stopped by `signal`: stop with it, so that a shell sees the job stop. Returns
  // when continued (SIGCONT is pending then, unless the child has got it), or at once when nobody
  // could continue us: then a child stopped by SIGTSTP goes on, as it would have without us.
  void child_stopped(pid_t child, int signal) const;
  // SIGCONT came: give the child the terminal if we have it, and let it go on.
  void continued(pid_t child) const;
  // Sends the child a signal that came to us; not a stop that it must not get (may_send_stop).
  void forward(int signal, pid_t child) const;
  // The child is gone: the terminal is ours again if it was the child's, and we are in our job.
  void child_gone(pid_t child) const;
  // The last thing we do: when SIGINT ended the child of a job, die of it too, since a shell's loop
  // or script ends at a Ctrl-C only if it sees that. Otherwise returns.
  void die_like(ExitStatus child) const;

  // Whether SIGTSTP, SIGTTIN or SIGTTOU may be sent to the child: as PID 1 or without a terminal
  // only if it catches them (it would be stopped for ever by us; a Cloud Run job sends SIGTSTP
  // before it migrates).
  [[nodiscard]] bool may_send_stop(int signal, pid_t child) const;

 private:
  void step_out() const;
  [[nodiscard]] bool step_in() const;

  UniqueFd terminal_;        // none without a controlling terminal
  bool foreground_ = false;  // to be handed to the child: our group had the terminal at the start
  pid_t job_ = 0;            // the group of the shell's job that we were started in, if any
};

}  // namespace integcov::process
