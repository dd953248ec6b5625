// Many seeded worlds; INTEGCOV_SIMULATION_SEEDS says how many.
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "unit/supervise/world.h"

namespace integcov::supervise {
namespace {

std::uint64_t seeds() {
  const char* text = std::getenv("INTEGCOV_SIMULATION_SEEDS");
  return text == nullptr ? 3'000 : std::strtoull(text, nullptr, 10);
}

TEST(Simulation, NoSeededWorldBreaksAPromise) {
  std::size_t stored = 0;
  std::size_t unsaved = 0;
  for (std::uint64_t seed = 0; seed < seeds(); ++seed) {
    std::mt19937_64 random(seed);
    testing::World world([&](std::uint64_t n) { return random() % n; });
    ASSERT_EQ(world.run(), "") << "seed " << seed;
    stored += world.stored();
    unsaved += world.unsaved();
  }
  EXPECT_GT(stored, seeds()) << "a world in which nothing happens proves nothing";
  EXPECT_GT(unsaved, seeds() / 20);
}

TEST(Simulation, AWorldWithoutFaultsEndsWithEverythingStored) {
  testing::World world([](std::uint64_t) { return 0; });
  EXPECT_EQ(world.run(), "");
  EXPECT_EQ(world.stored(), 2U);
  EXPECT_EQ(world.unsaved(), 0U);
}

}  // namespace
}  // namespace integcov::supervise
