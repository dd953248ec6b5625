// signals [keep] [N…]: catches all signals but for the named ones, says "ready" and then "got N"
// for each that comes. A line "exit N" on stdin, or its end, ends it; not with "keep".
#include <fcntl.h>
#include <poll.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "say.h"

namespace {

int pipe_ends[2];

void note(int number) {
  const auto byte = static_cast<char>(number);
  if (write(pipe_ends[1], &byte, 1) != 1) _exit(99);
}

}  // namespace

int main(int argc, char** argv) {
  if (pipe2(pipe_ends, O_CLOEXEC) != 0) return 98;
  bool keep = false;
  sigset_t caught;
  sigfillset(&caught);
  for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT}) {
    sigdelset(&caught, fault);
  }
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]) == "keep")
      keep = true;
    else
      sigdelset(&caught, std::atoi(argv[i]));
  }
  struct sigaction action{};
  action.sa_handler = note;
  sigfillset(&action.sa_mask);  // one after the other, the lowest number first
  action.sa_flags = SA_RESTART;
  for (int number = 1; number <= SIGRTMAX; ++number) {
    if (sigismember(&caught, number) == 1) sigaction(number, &action, nullptr);
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  say("ready");
  std::array<pollfd, 2> ready{pollfd{pipe_ends[0], POLLIN, 0}, pollfd{keep ? -1 : 0, POLLIN, 0}};
  while (true) {
    if (poll(ready.data(), ready.size(), -1) < 0) continue;
    if ((ready[0].revents & POLLIN) != 0) {
      std::array<char, 256> numbers{};
      const ssize_t got = read(pipe_ends[0], numbers.data(), numbers.size());
      std::string text;
      for (std::size_t i = 0; static_cast<ssize_t>(i) < got; ++i) {
        text += (i > 0 ? "\ngot " : "got ") + std::to_string(numbers[i]);
      }
      say(text);
    } else if (ready[1].revents != 0) {
      std::array<char, 64> line{};
      const ssize_t got = read(0, line.data(), line.size() - 1);
      if (got == 0 || (got < 0 && errno != EINTR)) return 0;
      if (got > 0 && std::strncmp(line.data(), "exit ", 5) == 0) return std::atoi(line.data() + 5);
    }
  }
}
