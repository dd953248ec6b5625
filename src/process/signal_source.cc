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
  fd_.reset(signalfd(-1, &all, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!fd_)
    throw std::runtime_error(std::string("cannot make a signalfd: ") + std::strerror(errno));
  watcher_.emplace(loop, fd_.get(), [this](event::Readiness) { drain(); });
  watcher_->watch({.readable = true});
}

void SignalSource::drain() {
  std::array<signalfd_siginfo, 32> infos{};
  while (true) {
    const ssize_t got = read(fd_.get(), infos.data(), sizeof infos);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return;
    const auto count = static_cast<std::size_t>(got) / sizeof(signalfd_siginfo);
    for (std::size_t i = 0; i < count; ++i) {
      // A SIGPIPE of our own writes, the SIGTSTP for our group: not for the child.
      const bool our_own =
          infos[i].ssi_pid == static_cast<std::uint32_t>(getpid()) && infos[i].ssi_signo != SIGCHLD;
      if (!our_own) arrived_(static_cast<int>(infos[i].ssi_signo));
    }
  }
}

}  // namespace integcov::process
