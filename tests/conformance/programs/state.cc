// state FILE: writes what it was given at its start, as lines KEY VALUE. Without /proc, so that it
// says the same everywhere. Texts are in hex.
#include <fcntl.h>
#include <linux/limits.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <array>
#include <cinttypes>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "say.h"

namespace {

std::string hex(const char* text) {
  std::string result;
  for (; *text != '\0'; ++text) {
    std::array<char, 3> two{};
    std::snprintf(two.data(), two.size(), "%02x", static_cast<unsigned char>(*text));
    result += two.data();
  }
  return result;
}

struct KernelAction {  // rt_sigaction(2); the C library hides signals 32 and 33
  void (*handler)(int);
  unsigned long flags;
  void* restorer;
  std::uint64_t mask;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  std::string text;
  for (int fd = 0; fd < 1024; ++fd) {
    if (fcntl(fd, F_GETFD) >= 0) text += "fd " + std::to_string(fd) + '\n';
  }
  std::uint64_t blocked = 0;
  syscall(SYS_rt_sigprocmask, SIG_BLOCK, nullptr, &blocked, sizeof blocked);
  for (int number = 1; number <= 64; ++number) {
    const std::string name = std::to_string(number) + '\n';
    if ((blocked >> (number - 1) & 1) != 0) text += "blocked " + name;
    KernelAction action{};
    if (syscall(SYS_rt_sigaction, number, nullptr, &action, sizeof blocked) != 0) continue;
    if (action.handler == SIG_IGN) text += "ignored " + name;
  }
  for (int i = 0; i < argc; ++i) text += "arg " + hex(argv[i]) + '\n';
  for (char** variable = environ; *variable != nullptr; ++variable) {
    text += "env " + hex(*variable) + '\n';
  }
  std::array<char, PATH_MAX> cwd{};
  if (getcwd(cwd.data(), cwd.size()) != nullptr) text += "cwd " + hex(cwd.data()) + '\n';
  const mode_t mask = umask(0);
  text += "umask " + std::to_string(mask) + '\n';
  for (int limit = 0; limit < 16; ++limit) {
    rlimit value{};
    if (getrlimit(static_cast<__rlimit_resource>(limit), &value) != 0) continue;
    text += "limit " + std::to_string(limit) + ' ' + std::to_string(value.rlim_cur) + ' ' +
            std::to_string(value.rlim_max) + '\n';
  }
  int death = 0;
  prctl(PR_GET_PDEATHSIG, &death, 0, 0, 0);
  text += "death-signal " + std::to_string(death) + '\n';
  text += "dumpable " + std::to_string(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0)) + '\n';
  text += "nice " + std::to_string(getpriority(PRIO_PROCESS, 0)) + '\n';
  const int tty = open("/dev/tty", O_RDWR | O_CLOEXEC);
  text += std::string("terminal ") + (tty < 0                       ? "none"
                                      : tcgetpgrp(tty) == getpgrp() ? "foreground"
                                                                    : "background");
  umask(022);
  const int file = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  say(text, file);
}
