// stops SIGNAL CODE: stops itself, says "resumed" when continued, and ends.
#include <csignal>
#include <cstdlib>

#include "say.h"

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  say("ready");
  raise(std::atoi(argv[1]));
  say("resumed");
  return std::atoi(argv[2]);
}
