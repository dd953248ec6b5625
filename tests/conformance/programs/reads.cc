// reads: says "line TEXT" for the first line of stdin.
#include <iostream>
#include <string>

#include "say.h"

int main() {
  say("ready");
  std::string line;
  if (!std::getline(std::cin, line)) return 1;
  say("line " + line);
}
