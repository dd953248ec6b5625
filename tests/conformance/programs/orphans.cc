// orphans N: leaves N grandchildren that end after their parents, in a moment when this program
// ends children of its own too; says "orphaned" once all are dead, and waits for the end of stdin.
// orphans 0 stay: one orphan says its new "parent PID".
#include <sys/wait.h>

#include <cerrno>
#include <cstdlib>
#include <ctime>

#include "say.h"

int main(int argc, char** argv) {
  const int count = argc > 1 ? std::atoi(argv[1]) : 1;
  if (argc > 2) {
    if (fork() == 0) {
      const pid_t parent = getpid();
      if (fork() != 0) _exit(0);
      const timespec moment{0, 1'000'000};
      while (getppid() == parent) nanosleep(&moment, nullptr);
      say("parent " + std::to_string(getppid()));
      _exit(0);
    }
    while (wait(nullptr) > 0) {
    }
    char end = 0;
    return read(0, &end, 1) < 0 ? 1 : 0;
  }
  int gate[2];
  int dead[2];
  if (pipe(gate) != 0 || pipe(dead) != 0) return 1;
  for (int i = 0; i < count; ++i) {
    const pid_t pid = fork();
    if (pid < 0) return 1;
    if (pid == 0) {
      if (fork() != 0) _exit(0);
      close(gate[1]);
      close(dead[0]);
      char byte = 0;
      const ssize_t end = read(gate[0], &byte, 1);  // its parents are reaped by now
      _exit(static_cast<int>(end) + i % 200);
    }
    waitpid(pid, nullptr, 0);
  }
  close(gate[0]);
  close(gate[1]);
  close(dead[1]);
  char byte = 0;
  while (read(dead[0], &byte, 1) < 0 && errno == EINTR) {  // the end of all writers
  }
  say("orphaned");
  while (read(0, &byte, 1) > 0) {
  }
  return 42;
}
