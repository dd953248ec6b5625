// reuses_pid: leaves a daemon and ends with 6. Once its pid is free, the daemon makes a process
// that takes it (only root of a PID namespace can), which says "reused", catches all signals and
// says "got N" for each. A covmeta makes the wrapper have something to upload.
#include <fcntl.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "say.h"

int main() {
  const pid_t own = getpid();
  const std::string folder = std::getenv("GOCOVERDIR");
  say("meta", open((folder + "/covmeta.00112233445566778899aabbccddeeff").c_str(),
                   O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
  if (fork() != 0) return 6;
  setsid();
  const timespec moment{0, 1'000'000};
  while (kill(own, 0) == 0) nanosleep(&moment, nullptr);
  for (int tries = 0; tries < 1000; ++tries) {
    const int last = open("/proc/sys/kernel/ns_last_pid", O_WRONLY | O_CLOEXEC);
    const std::string number = std::to_string(own - 1);
    if (last < 0 || write(last, number.data(), number.size()) < 0) {
      say(std::string("cannot choose a pid: ") + std::strerror(errno));
      return 0;
    }
    close(last);
    const pid_t pid = fork();
    if (pid == 0) {
      if (getpid() != own) _exit(0);
      sigset_t all;
      sigfillset(&all);
      sigprocmask(SIG_BLOCK, &all, nullptr);
      say("reused");
      while (true) say("got " + std::to_string(sigwaitinfo(&all, nullptr)));
    }
    if (pid == own) break;
  }
  while (true) pause();
}
