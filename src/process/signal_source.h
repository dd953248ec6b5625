// Signals as loop events, through a signalfd: it keeps what arrived before the loop ran, knows the
// sender, and needs no handler (docs/decisions/0002). Where the kernel refuses one, through a
// SignalPipe.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "base/unique_fd.h"
#include "event/fd_watcher.h"
#include "process/signal_pipe.h"

namespace integcov::process {

// The value that tells a signal sent by `go-integcov --flush-now` (sigqueue(3)) from any other of
// that number.
inline constexpr int kFlushRequest = 0x696e7463;  // "intc"

class SignalSource {
 public:
  struct Received {
    int signal = 0;
    bool flush_request = false;  // with the value kFlushRequest
  };

  // `arrived` gets every signal that take_over() blocked, SIGCHLD too, but none that we raised
  // ourselves. Throws std::runtime_error when no fds are left.
  SignalSource(event::Loop& loop, std::function<void(Received)> arrived);

 private:
  void drain();
  void take(Received received, pid_t sender);

  std::function<void(Received)> arrived_;
  UniqueFd fd_;
  std::unique_ptr<SignalPipe> pipe_;  // instead of fd_
  std::optional<event::FdWatcher> watcher_;
};

}  // namespace integcov::process
