#include "process/signal_source.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>

#include "process/inherited.h"

namespace integcov::process {

namespace {

bool is_flush_request(int code, int value) { return code == SI_QUEUE && value == kFlushRequest; }

}  // namespace

SignalSource::SignalSource(event::Loop& loop, std::function<void(Received)> arrived)
    : arrived_(std::move(arrived)) {
  sigset_t all;
  blocked_signals(&all);
  const int fd = signalfd(-1, &all, SFD_NONBLOCK | SFD_CLOEXEC);
  if (fd >= 0) {
    fd_.reset(fd);
  } else if (errno == EMFILE || errno == ENFILE) {
    throw std::runtime_error(std::string("cannot make a signalfd: ") + std::strerror(errno));
  } else {
    pipe_ = std::make_unique<SignalPipe>();
  }
  watcher_.emplace(loop, pipe_ ? pipe_->fd() : fd_.get(), [this](event::Readiness) { drain(); });
  watcher_->watch({.readable = true});
}

void SignalSource::drain() {
  if (pipe_) {
    return pipe_->drain([this](const siginfo_t& info) {
      take({info.si_signo, is_flush_request(info.si_code, info.si_value.sival_int)}, info.si_pid);
    });
  }
  // Once per turn of the loop: whoever sends without end must not keep us from all else.
  std::array<signalfd_siginfo, 8> infos;
  const ssize_t got = read(fd_.get(), infos.data(), sizeof infos);
  const auto count = static_cast<std::size_t>(std::max<ssize_t>(0, got)) / sizeof(signalfd_siginfo);
  for (std::size_t i = 0; i < count; ++i) {
    const signalfd_siginfo& info = infos[i];
    take({static_cast<int>(info.ssi_signo), is_flush_request(info.ssi_code, info.ssi_int)},
         static_cast<pid_t>(info.ssi_pid));
  }
}

// A SIGPIPE of our own writes, the SIGTSTP for our group: not for the child.
void SignalSource::take(Received received, pid_t sender) {
  if (sender != getpid() || received.signal == SIGCHLD) arrived_(received);
}

}  // namespace integcov::process
