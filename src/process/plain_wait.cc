#include "process/plain_wait.h"

#include <unistd.h>

#include <csignal>

#include "process/inherited.h"
#include "process/reaper.h"

namespace integcov::process {

ExitStatus plain_wait(pid_t child) {
  sigset_t all;
  blocked_signals(&all);
  while (true) {
    siginfo_t info{};
    // What ended before we looked has left a pending SIGCHLD: it is blocked since take_over().
    if (sigwaitinfo(&all, &info) < 0) continue;
    if (info.si_signo == SIGCHLD) {
      if (const Reaped reaped = reap(child); reaped.main) return *reaped.main;
    } else if (info.si_pid != getpid()) {
      kill(child, info.si_signo);
    }
  }
}

}  // namespace integcov::process
