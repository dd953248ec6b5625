// Bytes choose what happens around a session, and when; its promises hold in every such world.
#include <cstdint>
#include <cstdio>
#include <string>

#include "../tests/unit/supervise/world.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::size_t at = 0;
  const auto pick = [&](std::uint64_t n) -> std::uint64_t {
    std::uint64_t value = 0;
    for (std::uint64_t range = 1; range < n && at < size; range *= 256) {
      value = value * 256 + data[at++];
    }
    return value % n;
  };
  const std::string broken = integcov::supervise::testing::World(pick).run();
  if (!broken.empty()) {
    std::fprintf(stderr, "broken promise: %s\n", broken.c_str());
    __builtin_trap();
  }
  return 0;
}
