// daemon CODE: leaves a daemon in a session of its own that keeps stdout and stderr open, and ends.
#include <cstdlib>

#include "say.h"

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  int ready[2];
  if (pipe(ready) != 0) return 1;
  const pid_t pid = fork();
  if (pid < 0) return 1;
  if (pid == 0) {
    setsid();
    say("daemon");
    close(ready[0]);
    close(ready[1]);
    while (true) pause();
  }
  close(ready[1]);
  char byte = 0;
  while (read(ready[0], &byte, 1) > 0) {
  }
  return std::atoi(argv[1]);
}
