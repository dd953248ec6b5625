// traces PID: a debugger. Attaches, says "attached", passes every signal on and says "signal N".
// The end of stdin detaches ("detached"); else it stays until the process ends ("ended").
#include <poll.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "say.h"

namespace {

bool attach(pid_t pid) {
  if (ptrace(PTRACE_ATTACH, pid, nullptr, nullptr) != 0) return false;
  int status = 0;
  return waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status) &&
         ptrace(PTRACE_CONT, pid, nullptr, nullptr) == 0;
}

// Detaching needs a stopped process.
void detach(pid_t pid) {
  kill(pid, SIGSTOP);
  int status = 0;
  while (waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status)) {
    if (WSTOPSIG(status) == SIGSTOP) {
      ptrace(PTRACE_DETACH, pid, nullptr, nullptr);
      return say("detached");
    }
    ptrace(PTRACE_CONT, pid, nullptr, static_cast<long>(WSTOPSIG(status)));
  }
}

}  // namespace

int main(int argc, char** argv) {
  const pid_t pid = argc > 1 ? std::atoi(argv[1]) : 0;
  if (!attach(pid)) {
    say(std::string("cannot attach: ") + std::strerror(errno));
    return 1;
  }
  say("attached");
  while (true) {
    int status = 0;
    const pid_t got = waitpid(pid, &status, __WALL | WNOHANG);
    if (got == pid && !WIFSTOPPED(status)) {
      say("ended");
      return 0;
    }
    if (got == pid) {
      say("signal " + std::to_string(WSTOPSIG(status)));
      ptrace(PTRACE_CONT, pid, nullptr, static_cast<long>(WSTOPSIG(status)));
      continue;
    }
    pollfd input{.fd = 0, .events = POLLIN, .revents = 0};
    if (poll(&input, 1, 5) > 0) {
      detach(pid);
      return 0;
    }
  }
}
