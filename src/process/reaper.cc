#include "process/reaper.h"

#include <sys/prctl.h>
#include <sys/wait.h>

#include <cerrno>

namespace integcov::process {

void become_subreaper() { prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); }

Reaped reap(pid_t main_child) {
  Reaped reaped;
  while (true) {
    int status = 0;
    const pid_t pid = waitpid(-1, &status, WNOHANG | WUNTRACED);
    if (pid < 0 && errno == EINTR) continue;
    if (pid < 0) reaped.none_left = errno == ECHILD;
    if (pid <= 0) return reaped;
    if (WIFSTOPPED(status)) {
      if (pid == main_child) reaped.main_stopped = WSTOPSIG(status);
      continue;
    }
    reaped.ended.push_back(pid);
    if (pid != main_child) continue;
    reaped.main_stopped.reset();
    reaped.main = WIFSIGNALED(status) ? ExitStatus::killed_by(WTERMSIG(status))
                                      : ExitStatus::exited(WEXITSTATUS(status));
  }
}

}  // namespace integcov::process
