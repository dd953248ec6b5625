#include "supervise/program_starts.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace integcov::supervise {
namespace {

using std::chrono::milliseconds;

constexpr MonoTime kNow{std::chrono::hours(1)};
constexpr Duration kPause = ProgramStarts::kBetweenLooks;

TEST(ProgramStarts, TheFirstOneIsAReasonToLookAtOnce) {
  ProgramStarts starts;
  EXPECT_EQ(starts.next_look(), std::nullopt);
  EXPECT_FALSE(starts.take_look(kNow));
  EXPECT_TRUE(starts.covmeta_written("a", 5, kNow));
  EXPECT_EQ(starts.next_look(), kNow);
  EXPECT_TRUE(starts.take_look(kNow));
  EXPECT_EQ(starts.next_look(), std::nullopt);
  EXPECT_FALSE(starts.take_look(kNow + kPause)) << "once";
}

TEST(ProgramStarts, TheSameFileIsNoNewOne) {
  ProgramStarts starts;
  EXPECT_TRUE(starts.covmeta_written("a", 5, kNow));
  starts.looked(kNow);
  EXPECT_FALSE(starts.covmeta_written("a", 5, kNow));
  EXPECT_EQ(starts.next_look(), std::nullopt);
  EXPECT_TRUE(starts.covmeta_written("b", 5, kNow));
  EXPECT_TRUE(starts.covmeta_written("a", 6, kNow));
  EXPECT_EQ(starts.hashes(), (std::vector<std::string>{"a", "b"}));
}

TEST(ProgramStarts, ManyInARowAreOneLookASecond) {
  ProgramStarts starts;
  starts.covmeta_written("a", 0, kNow);
  EXPECT_TRUE(starts.take_look(kNow));
  int looks = 0;
  for (int ms = 1; ms <= 3000; ++ms) {
    const MonoTime now = kNow + milliseconds(ms);
    starts.covmeta_written("a", ms, now);
    if (starts.take_look(now)) ++looks;
  }
  EXPECT_EQ(looks, 3);
}

TEST(ProgramStarts, ALookForAnotherReasonIsOneToo) {
  ProgramStarts starts;
  starts.covmeta_written("a", 1, kNow);
  starts.looked(kNow);
  EXPECT_FALSE(starts.take_look(kNow));
  starts.covmeta_written("a", 2, kNow + milliseconds(400));
  EXPECT_EQ(starts.next_look(), kNow + kPause);
  starts.looked(kNow + milliseconds(500));
  EXPECT_EQ(starts.next_look(), std::nullopt);
  starts.covmeta_written("a", 3, kNow + kPause * 5);
  EXPECT_EQ(starts.next_look(), kNow + kPause * 5);
}

}  // namespace
}  // namespace integcov::supervise
