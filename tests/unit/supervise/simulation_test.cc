// Many seeded worlds, a million events; INTEGCOV_SIMULATION_SEEDS gives another number of worlds.
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "unit/supervise/world.h"

namespace integcov::supervise {
namespace {

TEST(Simulation, NoSeededWorldBreaksAPromise) {
  constexpr std::size_t kEvents = 1'000'000;
  const char* text = std::getenv("INTEGCOV_SIMULATION_SEEDS");
  const std::uint64_t worlds = text == nullptr ? 0 : std::strtoull(text, nullptr, 10);
  std::size_t events = 0;
  std::size_t stored = 0;
  std::size_t unsaved = 0;
  std::size_t folded = 0;
  std::size_t missed = 0;
  std::size_t undecided = 0;
  std::size_t known_by_starts = 0;
  std::uint64_t seed = 0;
  for (; worlds > 0 ? seed < worlds : events < kEvents; ++seed) {
    std::mt19937_64 random(seed);
    testing::World world([&](std::uint64_t n) { return random() % n; });
    ASSERT_EQ(world.run(), "") << "seed " << seed;
    events += world.events();
    stored += world.stored();
    unsaved += world.unsaved();
    folded += world.folded();
    missed += world.missed();
    undecided += world.undecided();
    known_by_starts += world.known_by_starts();
  }
  RecordProperty("worlds", std::to_string(seed));
  RecordProperty("events", std::to_string(events));
  EXPECT_GT(stored, seed) << "a world in which nothing happens proves nothing";
  EXPECT_GT(unsaved, seed / 20);
  EXPECT_GT(folded, seed / 2);
  EXPECT_LT(missed, folded / 20) << "too many snapshots of one image count twice";
  RecordProperty("folded", std::to_string(folded));
  RecordProperty("missed", std::to_string(missed));
  EXPECT_GT(known_by_starts, 0U) << "it is never known by what has started";
  RecordProperty("undecided", std::to_string(undecided));
  RecordProperty("known_by_starts", std::to_string(known_by_starts));
  EXPECT_LT(events / seed, 150U) << "few worlds are little variety";
}

TEST(Simulation, AWorldWithoutFaultsEndsWithEverythingStored) {
  testing::World world([](std::uint64_t) { return 0; });
  EXPECT_EQ(world.run(), "");
  EXPECT_EQ(world.stored(), 2U);
  EXPECT_EQ(world.unsaved(), 0U);
}

}  // namespace
}  // namespace integcov::supervise
