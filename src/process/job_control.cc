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

void JobControl::child_stopped(pid_t child) const {
  if (!terminal_ || getpid() == 1) return;
  if (tcgetpgrp(terminal_.get()) == child) tcsetpgrp(terminal_.get(), getpgrp());
  kill(0, SIGTSTP);  // the rest of our job; blocked here, and dropped as our own
  raise(SIGSTOP);
}

void JobControl::continued(pid_t child) const {
  if (terminal_ && tcgetpgrp(terminal_.get()) == getpgrp()) tcsetpgrp(terminal_.get(), child);
  kill(terminal_ ? -child : child, SIGCONT);
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
