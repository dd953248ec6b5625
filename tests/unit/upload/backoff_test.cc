#include "upload/backoff.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace integcov::upload {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(Backoff, TheCeilingDoublesUpToTheLongestWait) {
  Random random(1);
  std::vector<Duration> most(12);
  for (int round = 0; round < 400; ++round) {
    Backoff backoff;
    for (Duration& longest_seen : most) {
      const Duration wait = backoff.next(random, seconds(30));
      ASSERT_GT(wait, Duration::zero());
      longest_seen = std::max(longest_seen, wait);
    }
  }
  Duration ceiling = Backoff::kInitial;
  for (const Duration longest_seen : most) {
    EXPECT_LE(longest_seen, ceiling);
    EXPECT_GT(longest_seen, ceiling * 9 / 10) << "the waits fill the range";
    ceiling = std::min<Duration>(ceiling * 2, seconds(30));
  }
}

TEST(Backoff, IsFullJitter) {
  Random random(2);
  Duration least = seconds(1);
  Duration sum{};
  for (int round = 0; round < 1000; ++round) {
    Backoff backoff;
    const Duration wait = backoff.next(random, seconds(30));
    least = std::min(least, wait);
    sum += wait;
  }
  EXPECT_LT(least, milliseconds(2));
  EXPECT_GT(sum / 1000, milliseconds(40));
  EXPECT_LT(sum / 1000, milliseconds(60));
}

TEST(Backoff, StartsAnewAfterProgress) {
  Random random(3);
  Backoff backoff;
  for (int i = 0; i < 10; ++i) (void)backoff.next(random, seconds(30));
  backoff.restart();
  EXPECT_LE(backoff.next(random, seconds(30)), Backoff::kInitial);
}

TEST(Backoff, AShorterLongestWaitHoldsAtOnce) {
  Random random(4);
  Backoff backoff;
  for (int i = 0; i < 10; ++i) (void)backoff.next(random, seconds(30));
  for (int i = 0; i < 100; ++i) EXPECT_LE(backoff.next(random, seconds(2)), seconds(2));
}

TEST(Backoff, ALongestWaitOfZeroIsStillAWait) {
  Random random(5);
  Backoff backoff;
  EXPECT_EQ(backoff.next(random, Duration::zero()), Duration(1));
  EXPECT_EQ(backoff.next(random, Duration::zero()), Duration(1));
}

}  // namespace
}  // namespace integcov::upload
