#include "supervise/budget.h"

#include <gtest/gtest.h>

namespace integcov::supervise {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr MonoTime kStart{std::chrono::hours(1)};

// Grace 10 s (9.5 s usable), upload timeout 60 s.
Budget budget() { return {seconds(10), seconds(60)}; }

TEST(Budget, WhileTheChildRunsThereIsNoDeadline) {
  Budget b = budget();
  EXPECT_EQ(b.deadline(), std::nullopt);
  b.stop_requested(kStart);
  EXPECT_EQ(b.deadline(), std::nullopt) << "the app's time is never limited";
}

TEST(Budget, AnAppThatEndsByItselfLeavesTheUploadTimeout) {
  Budget b = budget();
  b.child_exited(kStart);
  EXPECT_EQ(b.deadline(), kStart + seconds(60));
}

TEST(Budget, AfterAStopTheGraceLessHalfASecondCountsFromTheSignal) {
  Budget b = budget();
  b.stop_requested(kStart);
  b.child_exited(kStart + seconds(4));
  EXPECT_EQ(b.deadline(), kStart + milliseconds(9500));
}

TEST(Budget, FurtherStopsWhileTheAppShutsDownBuyNoTime) {
  Budget b = budget();
  b.stop_requested(kStart);
  b.stop_requested(kStart + seconds(5));
  b.child_exited(kStart + seconds(6));
  EXPECT_EQ(b.deadline(), kStart + milliseconds(9500));
}

TEST(Budget, AnAppThatOutlivesTheGraceShowsThatThePlatformAllowsMore) {
  Budget b = budget();
  b.stop_requested(kStart);
  b.child_exited(kStart + seconds(25));
  EXPECT_EQ(b.deadline(), kStart + seconds(35));
}

TEST(Budget, AnExitAtTheVeryEndOfTheGraceHasOutlivedIt) {
  Budget b = budget();
  b.stop_requested(kStart);
  b.child_exited(kStart + milliseconds(9500));
  EXPECT_EQ(b.deadline(), kStart + milliseconds(19'500));
}

TEST(Budget, AStopLongAfterOneThatTheAppIgnoredCountsAnew) {
  Budget b = budget();
  b.stop_requested(kStart);
  b.stop_requested(kStart + seconds(100));
  b.child_exited(kStart + seconds(101));
  EXPECT_EQ(b.deadline(), kStart + seconds(100) + milliseconds(9500));
}

TEST(Budget, AStopAfterTheExitLowersTheDeadline) {
  Budget b = budget();
  b.child_exited(kStart);
  b.stop_requested(kStart + seconds(3));
  EXPECT_EQ(b.deadline(), kStart + seconds(3) + milliseconds(9500));
}

TEST(Budget, AStopAfterTheExitNeverRaisesTheDeadline) {
  Budget b = budget();
  b.child_exited(kStart);
  b.stop_requested(kStart + seconds(55));
  EXPECT_EQ(b.deadline(), kStart + seconds(60));

  Budget stopped = budget();
  stopped.stop_requested(kStart);
  stopped.child_exited(kStart + seconds(1));
  stopped.stop_requested(kStart + seconds(2));
  EXPECT_EQ(stopped.deadline(), kStart + milliseconds(9500));
}

TEST(Budget, OfAShortGraceHalfIsUsable) {
  Budget b(milliseconds(400), seconds(60));
  b.stop_requested(kStart);
  b.child_exited(kStart);
  EXPECT_EQ(b.deadline(), kStart + milliseconds(200));

  Budget one_second(seconds(1), seconds(60));
  one_second.stop_requested(kStart);
  one_second.child_exited(kStart);
  EXPECT_EQ(one_second.deadline(), kStart + milliseconds(500));
}

TEST(Budget, TheLongestDurationDoesNotOverflow) {
  Budget b(Duration::max(), Duration::max());
  b.stop_requested(kStart);
  b.child_exited(kStart + seconds(1));
  EXPECT_GT(b.deadline(), kStart + std::chrono::hours(24 * 364));
  b.stop_requested(kStart + seconds(2));
  EXPECT_GT(b.deadline(), kStart + std::chrono::hours(24 * 364));
}

TEST(Budget, ZeroLeavesAMomentToLookAtWhatIsThere) {
  Budget b(Duration::zero(), Duration::zero());
  b.child_exited(kStart);
  EXPECT_EQ(b.deadline(), kStart + Budget::kLeast);
}

}  // namespace
}  // namespace integcov::supervise
