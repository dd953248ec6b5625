#include "process/inherited.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <csignal>
#include <cstring>
#include <memory>

#include "base/unique_fd.h"
#include "process/reaper.h"

namespace integcov::process {
namespace {

constexpr int kFdsWithoutProc = 1024;

std::vector<int> open_fds() {
  std::vector<int> fds;
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(opendir("/proc/self/fd"), closedir);
  if (!dir) {
    for (int fd = 3; fd < kFdsWithoutProc; ++fd) {
      if (fcntl(fd, F_GETFD) >= 0) fds.push_back(fd);
    }
    return fds;
  }
  while (const dirent* entry = readdir(dir.get())) {
    int fd = -1;
    std::from_chars(entry->d_name, entry->d_name + std::strlen(entry->d_name), fd);
    if (fd > 2 && fd != dirfd(dir.get())) fds.push_back(fd);
  }
  return fds;
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
    if (fcntl(fd, F_GETFD) < 0) open("/dev/null", O_RDWR | O_CLOEXEC);
  }
  inherited.fds = open_fds();
  inherited.children = children();
  return inherited;
}

void close_fds(const std::vector<int>& fds) {
  for (const int fd : fds) close(fd);
}

void let_go_of_stdio() {
  const UniqueFd null(open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null) return;
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO}) dup3(null.get(), fd, O_CLOEXEC);
}

}  // namespace integcov::process
