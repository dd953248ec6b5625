#include "process/job_control.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "process/caught_signal.h"

namespace integcov::process {
namespace {

// By SIGTSTP and not SIGSTOP: the kernel drops it for init and in an orphaned process group, where
// no shell would continue us. False if it was dropped. `whom` as for kill(2), us among them.
bool stop(pid_t whom) {
  struct sigaction standard{};
  struct sigaction before{};
  standard.sa_handler = SIG_DFL;
  sigaction(SIGTSTP, &standard, &before);
  kill(whom,
       SIGTSTP);  // blocked here until now; it takes a SIGCONT that came earlier off the queue
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTSTP);
  sigprocmask(SIG_UNBLOCK, &set, nullptr);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  sigaction(SIGTSTP, &before, nullptr);
  sigpending(&set);
  return sigismember(&set, SIGCONT) == 1;
}

// Whether it went on after its last stop.
bool was_continued(pid_t child) {
  siginfo_t info{};
  return waitid(P_PID, static_cast<id_t>(child), &info, WCONTINUED | WNOHANG) == 0 &&
         info.si_pid == child;
}

void take_pending(int signal) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal);
  const timespec at_once{};
  sigtimedwait(&set, nullptr, &at_once);
}

}  // namespace

JobControl::JobControl() : terminal_(open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)) {
  if (!terminal_) return;
  // A session's leader has no shell above it, and may not leave its group.
  if (getpid() != 1 && getsid(0) != getpid()) job_ = getpgrp();
  foreground_ = job_ == 0 && tcgetpgrp(terminal_.get()) == getpgrp();
}

// SIGTTOU is blocked in both processes here, so tcsetpgrp(3) never stops them.
void JobControl::enter_child() const {
  if (job_ != 0) return;
  setpgid(0, 0);
  if (foreground_) tcsetpgrp(terminal_.get(), getpid());
}

void JobControl::adopt_child(pid_t child) const {
  if (job_ != 0) return step_out();
  setpgid(child, child);  // whoever of the two comes first does it
  if (foreground_) tcsetpgrp(terminal_.get(), child);
}

// While this fails we are in the job, and what is sent to all of it comes to the child twice.
void JobControl::step_out() const {
  if (job_ != getpid()) {
    setpgid(0, 0);
    return;
  }
  // The group's leader can only join a group that is there: of a process that ends at once, and
  // is reaped when we are in its group.
  const pid_t founder = fork();
  if (founder < 0) return;
  if (founder == 0) {
    setpgid(0, 0);
    _exit(0);
  }
  siginfo_t info{};
  waitid(P_PID, static_cast<id_t>(founder), &info, WEXITED | WNOWAIT);
  setpgid(0, founder);
  waitpid(founder, nullptr, 0);
}

// False when nobody is left in the job's group.
bool JobControl::step_in() const { return setpgid(0, job_) == 0; }

void JobControl::child_stopped(pid_t child, int signal) const {
  if (!terminal_) return;
  if (job_ != 0) {
    const bool stopped = step_in() && stop(getpid());
    if (!stopped && (signal == SIGTTIN || signal == SIGTTOU) && getpgrp() == job_) {
      // No shell is left that could resume the job. With us in it its group is orphaned, as it
      // would be without us: the terminal that the program can't have is an error then (EIO).
      kill(0, SIGCONT);
      return;
    }
    if (!stopped && signal == SIGTSTP) kill(getpgrp() == job_ ? 0 : child, SIGCONT);
    // This waits for a signal to the whole job to have come to each of it (the kernel's lock).
    step_out();
    if (was_continued(child)) take_pending(SIGCONT);
    return;
  }
  const pid_t foreground = tcgetpgrp(terminal_.get());
  // A shell's "fg" for a job that runs tells nobody: the child reached for a terminal that we have.
  if (foreground == getpgrp() && (signal == SIGTTIN || signal == SIGTTOU)) return continued(child);
  if (foreground == child) tcsetpgrp(terminal_.get(), getpgrp());
  if (!stop(0) && signal == SIGTSTP) continued(child);
}

void JobControl::continued(pid_t child) const {
  if (job_ != 0) {
    kill(child, SIGCONT);
    return;
  }
  if (terminal_ && tcgetpgrp(terminal_.get()) == getpgrp()) tcsetpgrp(terminal_.get(), child);
  // Its whole job, unless it went to another group.
  kill(terminal_ && getpgid(child) == child ? -child : child, SIGCONT);
}

void JobControl::forward(int signal, pid_t child) const {
  const bool stop = signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
  if (signal == SIGCONT) {
    continued(child);
  } else if (!stop || may_send_stop(signal, child)) {
    kill(child, signal);
  }
}

void JobControl::child_gone(pid_t child) const {
  if (job_ != 0) {
    [[maybe_unused]] const bool in = step_in();
  } else if (terminal_ && tcgetpgrp(terminal_.get()) == child) {
    tcsetpgrp(terminal_.get(), getpgrp());
  }
}

void JobControl::die_like(ExitStatus child) const {
  if (job_ == 0 || child != ExitStatus::killed_by(SIGINT)) return;
  signal(SIGINT, SIG_DFL);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigprocmask(SIG_UNBLOCK, &set, nullptr);
  raise(SIGINT);
}

bool JobControl::may_send_stop(int signal, pid_t child) const {
  if (terminal_ && getpid() != 1) return true;
  return catches_signal(child, signal);
}

}  // namespace integcov::process
