#include "supervise/starts.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace integcov::supervise {
namespace {

constexpr const char* kHash = "a";

// Watched since tick 100; the first start makes the count 2.
class StartsTest : public ::testing::Test {
 protected:
  StartsTest() { starts_.watched(100); }
  void start_at(std::uint64_t tick, const std::string& hash = kHash) {
    starts_.started(hash, {.tick = tick});
  }
  void known(Starts::Count after, Starts::Count by) { starts_.known(kHash, after, by); }
  [[nodiscard]] bool all_known(Starts::Count after, Starts::Count by) const {
    return starts_.all_known(kHash, {after, by});
  }

  Starts starts_;
};

TEST_F(StartsTest, WithoutAStartThereIsNoneToKnow) {
  EXPECT_TRUE(all_known(1, 1));
  start_at(200);
  EXPECT_TRUE(all_known(1, 1)) << "it came later";
  EXPECT_TRUE(all_known(2, 2)) << "it came before";
  EXPECT_TRUE(all_known(2, 1)) << "the image was seen after its file";
  EXPECT_FALSE(all_known(1, 2));
  start_at(200, "another program");
  EXPECT_TRUE(all_known(2, 3));
}

TEST_F(StartsTest, AProcessIsYoungerThanWhatCameBeforeItsTick) {
  EXPECT_EQ(starts_.before(100), 0U) << "in that tick, or before, it may be older than the watch";
  EXPECT_EQ(starts_.before(101), 1U);
  start_at(200);
  start_at(200);
  start_at(300);
  EXPECT_EQ(starts_.before(200), 1U);
  EXPECT_EQ(starts_.before(201), 3U);
  EXPECT_EQ(starts_.before(300), 3U);
  EXPECT_EQ(starts_.before(1000), 4U);
}

TEST_F(StartsTest, AProcessIsYoungerThanWhatCameWhenNoPidLikeItsHadBeenGiven) {
  for (const std::uint32_t pid : {20U, 30U, 30U, 5U, 40U}) {
    starts_.started(kHash, {.tick = 200, .last_pid = pid});
  }
  EXPECT_EQ(starts_.before(20U, 1, 10), 1U) << "it may be the first that started";
  EXPECT_EQ(starts_.before(21U, 1, 10), 2U);
  EXPECT_EQ(starts_.before(31U, 1, 10), 4U);
  EXPECT_EQ(starts_.before(90U, 1, 10), 4U) << "then pids began anew";
  EXPECT_EQ(starts_.before(31U, 3, 25), 4U);
  EXPECT_EQ(starts_.before(31U, 1, 31), 1U);
  EXPECT_EQ(starts_.before(41U, 5, 4), 6U) << "all";
  start_at(200);
  EXPECT_EQ(starts_.before(90U, 5, 4), 6U) << "it isn't known for the last one";
}

TEST_F(StartsTest, ThatPidsBeganAnewIsSeenByAnyThatIsSmaller) {
  for (const std::uint32_t pid : {20U, 30U, 15U}) {
    starts_.started(kHash, {.tick = 200, .last_pid = pid});
  }
  EXPECT_EQ(starts_.before(90U, 1, 10), 3U) << "15 may be of the next round";
}

TEST_F(StartsTest, AnImageThatStartedInNoneOfThemIsNotKnown) {
  start_at(200);
  start_at(200, "another program");
  start_at(300);
  known(2, 2);
  known(3, 2);
  known(2, 3);
  EXPECT_FALSE(all_known(1, 2));
  EXPECT_FALSE(all_known(3, 4));
  known(2, 4);
  EXPECT_TRUE(all_known(3, 4));
}

TEST_F(StartsTest, ATimeTellsWhatCameBeforeAndAfter) {
  for (const std::uint64_t time_ns : {1000U, 2000U, 3000U}) {
    starts_.started(kHash, {.tick = 200, .time_ns = time_ns});
  }
  EXPECT_EQ(starts_.not_after(2000, 4), 3U);
  EXPECT_EQ(starts_.not_after(1999, 4), 2U);
  EXPECT_EQ(starts_.not_after(3000, 4), 4U);
  EXPECT_EQ(starts_.not_after(1, 4), 1U) << "when the watch began";
}

TEST_F(StartsTest, OnlyWhatCameBetweenTwoTimesHasToBeKnown) {
  for (const std::uint64_t time_ns : {1000U, 3000U, 2000U}) {
    starts_.started(kHash, {.tick = 200, .time_ns = time_ns});
  }
  const auto between = [&](std::uint64_t since, std::uint64_t until, Starts::Stretch stretch) {
    const Starts::Stretch left = starts_.between(since, until, stretch);
    return std::pair(left.after, left.by);
  };
  using Stretch = std::pair<Starts::Count, Starts::Count>;
  EXPECT_EQ(between(500, 4000, {1, 4}), Stretch(1, 4));
  EXPECT_EQ(between(1000, 3000, {1, 4}), Stretch(2, 4)) << "as two files are named";
  EXPECT_EQ(between(2000, 3000, {1, 4}), Stretch(2, 3)) << "that says so first is told last";
  EXPECT_EQ(between(500, 999, {1, 4}), Stretch(4, 4));
  EXPECT_EQ(between(500, 4000, {0, 4}), Stretch(0, 4)) << "some may be missing there";
  EXPECT_EQ(between(5000, 6000, {0, 4}), Stretch(0, 1));
  start_at(200);  // of a program that doesn't say when
  EXPECT_EQ(between(5000, 6000, {1, 5}), Stretch(4, 5));
}

TEST_F(StartsTest, AStartIsTheOneOfTheImageThatIsKnown) {
  start_at(200);
  start_at(300);
  known(2, 3);
  EXPECT_TRUE(all_known(2, 3));
  EXPECT_FALSE(all_known(1, 2));
  EXPECT_FALSE(all_known(1, 3));
  known(1, 2);
  EXPECT_TRUE(all_known(1, 2));
  EXPECT_TRUE(all_known(1, 3));
  EXPECT_TRUE(starts_.all_known("another program", {1, 3}));
}

TEST_F(StartsTest, AnotherProgramsImageIsNone) {
  start_at(200);
  starts_.known("another program", 1, 2);
  EXPECT_FALSE(all_known(1, 2));
}

TEST_F(StartsTest, OneThatMayHaveStartedBeforeIsNone) {
  start_at(200);
  start_at(300);
  known(1, 3);
  EXPECT_FALSE(all_known(2, 3)) << "it may be the one before";
  EXPECT_FALSE(all_known(1, 2)) << "it may be the one behind";
  known(1, 3);
  EXPECT_TRUE(all_known(2, 3)) << "both are known";
  EXPECT_TRUE(all_known(1, 2));
}

TEST_F(StartsTest, ThoseThatCanNotBeToldApartAreKnownTogether) {
  for (int i = 0; i < 3; ++i) start_at(200);
  known(1, 4);
  known(1, 4);
  EXPECT_FALSE(all_known(3, 4));
  known(1, 4);
  EXPECT_TRUE(all_known(3, 4)) << "the one that asks is among them";
}

TEST_F(StartsTest, OneThatNobodyKnowsLeavesTheOthersOpenToo) {
  start_at(200);
  start_at(300);
  start_at(400);
  known(1, 3);
  EXPECT_FALSE(all_known(1, 3)) << "which of the two is it";
  known(2, 3);
  EXPECT_TRUE(all_known(1, 3));
  EXPECT_FALSE(all_known(1, 4));
}

TEST_F(StartsTest, WhereSomeMayBeMissingNothingIsKnown) {
  start_at(200);
  starts_.watched(210);
  EXPECT_FALSE(all_known(2, 3)) << "there may have been one";
  known(1, 2);
  known(2, 3);
  EXPECT_FALSE(all_known(1, 3));
  EXPECT_TRUE(all_known(1, 2)) << "before";
  EXPECT_TRUE(all_known(3, 3));
  start_at(300);
  known(3, 4);
  EXPECT_TRUE(all_known(3, 4)) << "after";
  starts_.missed(310);
  EXPECT_FALSE(all_known(4, 5));
  EXPECT_FALSE(all_known(2, 4));
}

TEST_F(StartsTest, NothingIsKnownWithoutAWatch) {
  EXPECT_FALSE(Starts().all_known(kHash, {0, 0}));
  Starts never;
  never.started(kHash, {.tick = 100});
  EXPECT_FALSE(never.all_known(kHash, {1, 1}));
  starts_.unwatched();
  EXPECT_FALSE(all_known(1, 1));
  starts_.missed(200);
  EXPECT_EQ(starts_.count(), 1U);
  EXPECT_FALSE(starts_.watching());
}

TEST_F(StartsTest, WhatWasLongAgoIsForgotten) {
  start_at(150);
  known(1, 2);
  EXPECT_TRUE(all_known(1, 2));
  for (std::size_t i = 0; i < Starts::kMost + 5; ++i) start_at(200 + i, "another program");
  EXPECT_EQ(starts_.count(), Starts::kMost + 7);
  EXPECT_FALSE(all_known(1, 2));
  EXPECT_FALSE(all_known(7, starts_.count()));
  EXPECT_TRUE(all_known(8, starts_.count()));
  EXPECT_EQ(starts_.before(150), 7U) << "no more is known";
  starts_.known("another program", 7, 9);
  EXPECT_FALSE(starts_.all_known("another program", {8, 9}))
      << "it was forgotten where that begins";
}

// Whatever is known of whichever images, it is never said of a start whose image isn't.
TEST_F(StartsTest, NoStartOfAnUnknownImageIsTakenForAKnownOne) {
  std::mt19937_64 random(1);
  const auto pick = [&](std::uint64_t from, std::uint64_t to) {
    return std::uniform_int_distribution(from, to)(random);
  };
  int said = 0;
  for (int world = 0; world < 20'000; ++world) {
    starts_ = {};
    starts_.watched(100);
    const Starts::Count last = 1 + pick(1, 8);
    std::vector<bool> is_known(last + 1, true);  // by count; the first is the watch's
    for (Starts::Count at = 2; at <= last; ++at) {
      if (pick(0, 9) == 0) {
        starts_.watched(100 + at);
        is_known[at] = false;
      } else {
        start_at(100 + at);
      }
    }
    for (Starts::Count at = 2; at <= last; ++at) {
      if (!is_known[at]) continue;
      is_known[at] = pick(0, 3) > 0;
      const bool exactly = pick(0, 2) > 0;
      if (is_known[at]) known(exactly ? at - 1 : pick(0, at - 1), exactly ? at : pick(at, last));
    }
    for (Starts::Count after = 1; after <= last; ++after) {
      for (Starts::Count by = after; by <= last; ++by) {
        if (!all_known(after, by)) continue;
        for (Starts::Count at = after + 1; at <= by; ++at) ASSERT_TRUE(is_known[at]) << world;
        if (after < by) ++said;
      }
    }
  }
  EXPECT_GT(said, 20'000) << "it is never said";
}

}  // namespace
}  // namespace integcov::supervise
