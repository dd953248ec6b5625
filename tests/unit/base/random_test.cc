#include "base/random.h"

#include <gtest/gtest.h>

#include <random>

namespace integcov {
namespace {

// The reference implementation's numbers (prng.di.unimi.it/splitmix64.c).
TEST(Random, IsSplitMix64) {
  Random random(1234567);
  EXPECT_EQ(random(), 6457827717110365317U);
  EXPECT_EQ(random(), 3203168211198807973U);
  EXPECT_EQ(random(), 9817491932198370423U);
}

TEST(Random, SmallSeedsHaveNothingInCommon) {
  Random one(1);
  Random two(2);
  std::uniform_int_distribution<int> die(1, 1'000'000);
  EXPECT_NE(die(one), die(two));
}

}  // namespace
}  // namespace integcov
