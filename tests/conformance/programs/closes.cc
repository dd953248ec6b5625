// closes FILE CODE: closes stdin, stdout, stderr and all that it was passed, waits until FILE is
// there.
#include <cstdlib>
#include <ctime>

#include "say.h"

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  say("ready");
  for (int fd = 0; fd < 1024; ++fd) close(fd);
  const timespec moment{0, 5'000'000};
  while (access(argv[1], F_OK) != 0) nanosleep(&moment, nullptr);
  return std::atoi(argv[2]);
}
