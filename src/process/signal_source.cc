#include "process/signal_source.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>

#include "process/inherited.h"

namespace integcov::process {

SignalSource::SignalSource(event::Loop& loop, std::function<void(int)> arrived)
    : arrived_(std::move(arrived)) {
  sigset_t all;
  blocked_signals(&all);
  const int fd = signalfd(-1, &all, SFD_NONBLOCK | SFD_CLOEXEC);
  if (fd >= 0) {
    fd_.reset(fd);
  } else if (errno == EMFILE || errno == ENFILE) {
    throw std::runtime_error(std::string("cannot make a signalfd: ") + std::strerror(errno));
  } else {
    pipe_.emplace();
  }
  watcher_.emplace(loop, pipe_ ? pipe_->fd() : fd_.get(), [this](event::Readiness) { drain(); });
  watcher_->watch({.readable = true});
}

void SignalSource::drain() {
  if (pipe_) return pipe_->drain([this](int signal, pid_t sender) { take(signal, sender); });
  std::array<signalfd_siginfo, 32> infos{};
  while (true) {
    const ssize_t got = read(fd_.get(), infos.data(), sizeof infos);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return;
    const auto count = static_cast<std::size_t>(got) / sizeof(signalfd_siginfo);
    for (std::size_t i = 0; i < count; ++i) {
      take(static_cast<int>(infos[i].ssi_signo), static_cast<pid_t>(infos[i].ssi_pid));
    }
  }
}

// A SIGPIPE of our own writes, the SIGTSTP for our group: not for the child.
void SignalSource::take(int signal, pid_t sender) {
  if (sender != getpid() || signal == SIGCHLD) arrived_(signal);
}

}  // namespace integcov::process
