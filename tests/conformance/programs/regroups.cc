// regroups PROGRAM…: goes back into its parent's process group, from there into a new session, and
// becomes PROGRAM. Says "moved" or what failed.
#include <cerrno>
#include <cstring>

#include "say.h"

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  const bool led = getsid(0) == getpid();  // a session leader can't leave its session
  if (!led && (setpgid(0, getpgid(getppid())) != 0 || setsid() < 0)) {
    say(std::string("cannot move: ") + std::strerror(errno));
  } else {
    say("moved");
  }
  execv(argv[1], argv + 1);
  return 1;
}
