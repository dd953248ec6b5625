// What signalfd(2) does, for a kernel that has none (old gVisor): handlers that write to a pipe. A
// handler leaves all signals blocked, so that the kernel's queue keeps them and their count; the
// pipe never holds more than one of each thread. At most one object at a time.
#pragma once

#include <sys/types.h>

#include <array>
#include <csignal>
#include <functional>
#include <vector>

#include "base/unique_fd.h"

namespace integcov::process {

class SignalPipe {
 public:
  // Unblocks what take_over() blocked. Throws std::runtime_error when there are no fds for a pipe.
  SignalPipe();
  // All are blocked again, with the dispositions that they had.
  ~SignalPipe();
  SignalPipe(const SignalPipe&) = delete;
  SignalPipe& operator=(const SignalPipe&) = delete;

  // Readable when signals wait.
  [[nodiscard]] int fd() const { return read_end_.get(); }
  // Gives all that wait to `got`, which must not destroy the object.
  void drain(const std::function<void(const siginfo_t& info)>& got);

 private:
  // All that wait, while they are blocked.
  [[nodiscard]] std::vector<siginfo_t> take() const;

  UniqueFd read_end_;
  UniqueFd write_end_;
  std::array<struct sigaction, NSIG> before_{};
};

}  // namespace integcov::process
