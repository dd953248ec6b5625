// Signals as loop events, through a signalfd: it keeps what arrived before the loop ran, knows the
// sender, and needs no handler (docs/decisions/0002). Where the kernel refuses one, through a
// SignalPipe.
#pragma once

#include <functional>
#include <optional>

#include "base/unique_fd.h"
#include "event/fd_watcher.h"
#include "process/signal_pipe.h"

namespace integcov::process {

class SignalSource {
 public:
  // `arrived` gets every signal that take_over() blocked, SIGCHLD too, but none that we raised
  // ourselves. Throws std::runtime_error when no fds are left.
  SignalSource(event::Loop& loop, std::function<void(int signal)> arrived);

 private:
  void drain();
  void take(int signal, pid_t sender);

  std::function<void(int)> arrived_;
  UniqueFd fd_;
  std::optional<SignalPipe> pipe_;  // instead of fd_
  std::optional<event::FdWatcher> watcher_;
};

}  // namespace integcov::process
