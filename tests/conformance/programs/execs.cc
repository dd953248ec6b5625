// execs N PROGRAM…: replaces itself by itself N times, then by PROGRAM.
#include <cstdlib>

#include "say.h"

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const int left = std::atoi(argv[1]);
  if (left == 0) {
    execv(argv[2], argv + 2);
    return 1;
  }
  std::string next = std::to_string(left - 1);
  argv[1] = next.data();
  execv(argv[0], argv);
  return 1;
}
