#include "process/signal_pipe.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "process/inherited.h"

namespace integcov::process {
namespace {

std::atomic<int> pipe_of_handler{-1};
static_assert(std::atomic<int>::is_always_lock_free);

sigset_t taken_over() {
  sigset_t set;
  blocked_signals(&set);
  return set;
}

void on_signal(int /*signal*/, siginfo_t* info, void* context) {
  const int error = errno;
  [[maybe_unused]] const auto put = write(pipe_of_handler.load(), info, sizeof *info);
  // The mask on return. One by one: the kernel's set is smaller than the C library's.
  sigset_t* mask = &static_cast<ucontext_t*>(context)->uc_sigmask;
  const sigset_t all = taken_over();
  for (int number = 1; number <= SIGRTMAX; ++number) {
    if (sigismember(&all, number) == 1) sigaddset(mask, number);
  }
  errno = error;
}

}  // namespace

SignalPipe::SignalPipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
    throw std::runtime_error(std::string("cannot make a pipe for signals: ") +
                             std::strerror(errno));
  }
  read_end_.reset(ends[0]);
  write_end_.reset(ends[1]);
  pipe_of_handler = write_end_.get();
  struct sigaction action{};
  action.sa_sigaction = on_signal;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  sigfillset(&action.sa_mask);
  const sigset_t all = taken_over();
  for (int number = 1; number <= SIGRTMAX; ++number) {
    const auto index = static_cast<std::size_t>(number);
    if (sigismember(&all, number) == 1) sigaction(number, &action, &before_[index]);
  }
  sigprocmask(SIG_UNBLOCK, &all, nullptr);
}

SignalPipe::~SignalPipe() {
  const sigset_t all = taken_over();
  sigprocmask(SIG_BLOCK, &all, nullptr);
  // A disposition that ignores would drop what waits: it goes back on the queue afterwards.
  const std::vector<siginfo_t> untold = take();
  for (int number = 1; number <= SIGRTMAX; ++number) {
    const auto index = static_cast<std::size_t>(number);
    if (sigismember(&all, number) == 1) sigaction(number, &before_[index], nullptr);
  }
  for (siginfo_t info : untold) syscall(SYS_rt_sigqueueinfo, getpid(), info.si_signo, &info);
}

void SignalPipe::drain(const std::function<void(const siginfo_t&)>& got) {
  const sigset_t all = taken_over();
  sigprocmask(SIG_BLOCK, &all, nullptr);
  for (const siginfo_t& info : take()) got(info);
  sigprocmask(SIG_UNBLOCK, &all, nullptr);
}

std::vector<siginfo_t> SignalPipe::take() const {
  const sigset_t all = taken_over();
  std::vector<siginfo_t> infos;
  siginfo_t info{};
  while (read(read_end_.get(), &info, sizeof info) == sizeof info) infos.push_back(info);
  const timespec at_once{};
  while (sigtimedwait(&all, &info, &at_once) > 0) infos.push_back(info);
  return infos;
}

}  // namespace integcov::process
