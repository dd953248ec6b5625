#include "process/job_control.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <string>
#include <string_view>

namespace integcov::process {
namespace {

// By SIGTSTP and not SIGSTOP: the kernel drops it for init and in an orphaned process group, where
// no shell would continue us. False if it was dropped.
bool stop_our_job() {
  struct sigaction standard{};
  struct sigaction before{};
  standard.sa_handler = SIG_DFL;
  sigaction(SIGTSTP, &standard, &before);
  kill(0, SIGTSTP);  // blocked here until now; it takes a SIGCONT that came earlier off the queue
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTSTP);
  sigprocmask(SIG_UNBLOCK, &set, nullptr);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  sigaction(SIGTSTP, &before, nullptr);
  sigpending(&set);
  return sigismember(&set, SIGCONT) == 1;
}

}  // namespace

JobControl::JobControl() : terminal_(open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)) {
  foreground_ = terminal_ && tcgetpgrp(terminal_.get()) == getpgrp();
}

// SIGTTOU is blocked in both processes here, so tcsetpgrp(3) never stops them.
void JobControl::enter_child() const {
  setpgid(0, 0);
  if (foreground_) tcsetpgrp(terminal_.get(), getpid());
}

void JobControl::adopt_child(pid_t child) const {
  setpgid(child, child);
  if (foreground_) tcsetpgrp(terminal_.get(), child);
}

void JobControl::child_stopped(pid_t child, int signal) const {
  if (!terminal_) return;
  const pid_t foreground = tcgetpgrp(terminal_.get());
  // A shell's "fg" for a job that runs tells nobody: the child reached for a terminal that we have.
  if (foreground == getpgrp() && (signal == SIGTTIN || signal == SIGTTOU)) return continued(child);
  if (foreground == child) tcsetpgrp(terminal_.get(), getpgrp());
  if (!stop_our_job() && signal == SIGTSTP) continued(child);
}

void JobControl::continued(pid_t child) const {
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
  if (terminal_ && tcgetpgrp(terminal_.get()) == child) tcsetpgrp(terminal_.get(), getpgrp());
}

bool JobControl::may_send_stop(int signal, pid_t child) const {
  if (terminal_ && getpid() != 1) return true;
  return catches_signal(child, signal);
}

bool catches_signal(pid_t pid, int signal) {
  const std::string path = "/proc/" + std::to_string(pid) + "/status";
  const UniqueFd status(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 8192> buffer{};
  const ssize_t got = status ? read(status.get(), buffer.data(), buffer.size()) : -1;
  if (got <= 0) return false;
  constexpr std::string_view kKey = "\nSigCgt:\t";
  const std::string_view text(buffer.data(), static_cast<std::size_t>(got));
  const std::size_t at = text.find(kKey);
  if (at == std::string_view::npos) return false;
  const char* digits = text.data() + at + kKey.size();
  std::uint64_t mask = 0;
  std::from_chars(digits, text.data() + text.size(), mask, 16);
  return (mask >> (signal - 1) & 1) != 0;
}

}  // namespace integcov::process
