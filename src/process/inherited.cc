#include "process/inherited.h"

#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <limits>
#include <numeric>

#include "base/unique_fd.h"
#include "process/proc.h"
#include "process/reaper.h"

namespace integcov::process {
namespace {

std::vector<int> open_fds() {
  constexpr int kFdsWithoutProc = 1024;
  std::vector<int> fds = numbers_in("/proc/self/fd", std::numeric_limits<std::size_t>::max());
  if (fds.empty()) {
    fds.resize(kFdsWithoutProc);
    std::iota(fds.begin(), fds.end(), 0);
  }
  return fds;
}

// To stand for what is closed. Without /dev/null a fd that can be neither read nor written.
int open_nothing() {
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  return null >= 0 ? null : open("/", O_PATH | O_CLOEXEC);
}

enum class Fd { free, ours, inherited };

Fd look_at(int fd) {
  const int flags = fcntl(fd, F_GETFD);
  if (flags < 0) return Fd::free;
  return (flags & FD_CLOEXEC) != 0 ? Fd::ours : Fd::inherited;
}

}  // namespace

void blocked_signals(sigset_t* set) {
  sigfillset(set);
  for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT}) {
    sigdelset(set, fault);
  }
}

Inherited take_over() {
  sigset_t blocked;
  blocked_signals(&blocked);
  Inherited inherited;
  sigprocmask(SIG_SETMASK, &blocked, &inherited.mask);

  struct sigaction chld{};
  sigaction(SIGCHLD, nullptr, &chld);
  inherited.sigchld_ignored = chld.sa_handler == SIG_IGN || (chld.sa_flags & SA_NOCLDWAIT) != 0;
  chld = {};
  chld.sa_handler = SIG_DFL;
  sigaction(SIGCHLD, &chld, nullptr);

  for (int fd = 0; fd <= 2; ++fd) {
    // The lowest free number is taken: fds below are open by now.
    if (fcntl(fd, F_GETFD) < 0) open_nothing();
  }
  inherited.children = children();
  return inherited;
}

// /proc isn't asked: it takes longer for each fd than all this for none.
void close_inherited_fds() {
  // The kernel gives the lowest number. So none of ours is behind more free numbers than we ever
  // have fds at a time.
  constexpr int kMostOfOurs = 16;
  int fd = STDERR_FILENO + 1;
  for (int free = 0; free < kMostOfOurs; ++fd) {
    const Fd found = look_at(fd);
    if (found == Fd::inherited) close(fd);
    if (found == Fd::free) ++free;
  }
  if (close_range(static_cast<unsigned>(fd), ~0U, 0) == 0) return;
  for (const int other : open_fds()) {  // before Linux 5.9
    if (other >= fd && look_at(other) == Fd::inherited) close(other);
  }
}

void let_go_of_stdio() {
  const UniqueFd nothing(open_nothing());
  if (!nothing) return;
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO}) dup3(nothing.get(), fd, O_CLOEXEC);
}

}  // namespace integcov::process
