// A child process that waits, and executes or ends when told.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <string>

#include "base/unique_fd.h"
#include "process/process_memory.h"

namespace integcov::process {

class Helper {
 public:
  Helper() {
    std::array<int, 2> input{};
    std::array<int, 2> output{};
    if (pipe2(input.data(), O_CLOEXEC) != 0 || pipe2(output.data(), O_CLOEXEC) != 0) abort();
    pid_ = fork();
    if (pid_ == 0) {
      close(input[1]);  // or its end would never come
      char order = 0;
      if (read(input[0], &order, 1) != 1) _exit(0);
      dup2(input[0], 0);
      dup2(output[1], 1);
      execlp("cat", "cat", nullptr);
      _exit(127);
    }
    input_.reset(input[1]);
    output_.reset(output[0]);
    close(input[0]);
    close(output[1]);
  }
  Helper(const Helper&) = delete;
  Helper& operator=(const Helper&) = delete;
  ~Helper() { end(); }

  [[nodiscard]] pid_t pid() const { return pid_; }

  // It is cat(1) when this returns: it has repeated a line.
  void exec_cat() {
    if (write(input_.get(), "x\n", 2) != 2) abort();
    char byte = 0;
    if (read(output_.get(), &byte, 1) != 1) abort();
  }
  // A zombie until end().
  void die() {
    kill(pid_, SIGKILL);
    siginfo_t info{};
    waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT);
  }
  void end() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

 private:
  pid_t pid_ = -1;
  UniqueFd input_;
  UniqueFd output_;
};

}  // namespace integcov::process
