#include "process/plain_wait.h"

#include <unistd.h>

#include <csignal>
#include <vector>

#include "process/inherited.h"
#include "process/reaper.h"

namespace integcov::process {

ExitStatus plain_wait(pid_t child, const JobControl& job_control, std::optional<int> stop_signal) {
  sigset_t all;
  blocked_signals(&all);
  std::vector<pid_t> earlier;
  while (true) {
    // Before the first wait too: somebody else may have taken the SIGCHLD.
    const Reaped reaped = reap(child, earlier);
    if (reaped.main || reaped.none_left) {
      job_control.child_gone(child);
      return reaped.main.value_or(ExitStatus::exited(kExitOwnError));
    }
    if (reaped.main_stopped) job_control.child_stopped(child, *reaped.main_stopped);
    siginfo_t info{};
    if (sigwaitinfo(&all, &info) < 0 || info.si_signo == SIGCHLD) continue;
    if (info.si_pid == getpid()) continue;
    const int signal = info.si_signo == SIGTERM ? stop_signal.value_or(SIGTERM) : info.si_signo;
    job_control.forward(signal, child);
  }
}

}  // namespace integcov::process
