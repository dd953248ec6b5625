// A process wrote its last file and was gone when we came to look, and something had started.
#include <gtest/gtest.h>

#include <string>

#include "coverage/file_name.h"
#include "supervise/snapshots.h"

namespace integcov::supervise {
namespace {

using namespace std::chrono_literals;

const std::string kHash = "0123456789abcdef0123456789abcdef";
constexpr std::uint64_t kSecond = 1'000'000'000;

std::string path(std::uint32_t pid, std::uint64_t second) {
  return "covcounters." + kHash + '.' + std::to_string(pid) + '.' +
         std::to_string(second * kSecond);
}

Sighting memory_of(const std::string& image, std::uint64_t began) {
  return {
      .meta = {.inode = 1, .changed_ns = 1}, .image = image, .exact = true, .process_start = began};
}

// Process 7 began in tick 200 and wrote a file in second 5. Then something starts, the process
// writes a file in second 7 and is gone.
class Undecided : public ::testing::Test {
 protected:
  Undecided() {
    snapshots_.starts().watched(100);
    start_at(201);
    process_writes(7, "a", 5, 200);
  }

  void start_at(std::uint64_t tick) { snapshots_.starts().started(kHash, {.tick = tick}); }
  void saw(const std::string& name) {
    const coverage::FileName parsed = coverage::parse_file_name(name);
    snapshots_.saw({{name, 10, static_cast<std::int64_t>(parsed.time_ns)}, parsed, false});
  }
  template <class T>
  std::optional<T> next() {
    while (const auto request = snapshots_.next(now_)) {
      if (std::holds_alternative<NoteWriter>(*request)) continue;
      const auto* wanted = std::get_if<T>(&*request);
      EXPECT_NE(wanted, nullptr) << "request " << request->index();
      return wanted == nullptr ? std::nullopt : std::optional(*wanted);
    }
    return std::nullopt;
  }
  // Its first file, whose image ran before.
  void process_writes(std::uint32_t pid, const std::string& image, std::uint64_t second,
                      std::uint64_t began) {
    const std::string name = path(pid, second);
    saw(name);
    ASSERT_TRUE(next<LookAtWriter>());
    const auto since = static_cast<std::int64_t>(second * kSecond) - 1;
    ASSERT_TRUE(snapshots_.on_looked({name,
                                      {.meta = {.inode = 1, .changed_ns = 1},
                                       .at_ns = since + 2,
                                       .image = image,
                                       .exact = true,
                                       .process_start = began,
                                       .since_ns = since,
                                       .until_ns = since + 1}}));
  }
  // Its first file, which is told when it has ended.
  void writes_and_is_gone(std::uint32_t pid, std::uint64_t second) {
    saw(path(pid, second));
    ASSERT_TRUE(next<LookAtWriter>());
    snapshots_.on_looked({path(pid, second), {}});
  }
  // What is asked for the file of second 7.
  std::optional<FoldSnapshot> asked() {
    now_ += Snapshots::kBetweenDecisions;
    return next<FoldSnapshot>();
  }
  std::optional<Snapshots::Upload> answer(Fold fold) {
    return snapshots_.on_folded({.standing = path(7, 5),
                                 .appeared = path(7, 7),
                                 .fold = fold,
                                 .file = {path(7, 5), 20, 7},
                                 .seen = {.until_ns = clock_was_set_ ? 0 : 1}},
                                now_);
  }
  // Process 8, which wrote a file in second 6, executes another image, and that writes one.
  void another_image_writes() {
    saw(path(8, 9));
    ASSERT_TRUE(next<FoldSnapshot>());
    snapshots_.on_folded({.standing = path(8, 6),
                          .appeared = path(8, 9),
                          .fold = Fold::kept,
                          .seen = {.meta = {.inode = 2, .changed_ns = 8},
                                   .at_ns = 10 * kSecond,
                                   .image = "c",
                                   .exact = true,
                                   .process_start = 150,
                                   .since_ns = 8 * kSecond}},
                         now_);
  }
  void is_undecided() {
    saw(path(7, 7));
    const auto first = asked();
    ASSERT_TRUE(first);
    EXPECT_FALSE(first->seen);
    EXPECT_TRUE(first->may_wait);
    EXPECT_FALSE(first->one_image);
    EXPECT_EQ(answer(Fold::undecided), std::nullopt);
  }

  Snapshots snapshots_;
  MonoTime now_{};
  bool clock_was_set_ = false;
};

TEST_F(Undecided, ItIsOfOneImageIfNothingHadStartedWhenItCame) {
  is_undecided();
  start_at(300);  // later
  const auto again = asked();
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->one_image);
  EXPECT_EQ(answer(Fold::replaced)->file.path, path(7, 5));
  EXPECT_FALSE(snapshots_.undecided());
}

TEST_F(Undecided, ItIsOfOneImageOnceWhatHadStartedIsKnownToBeAnother) {
  start_at(301);
  is_undecided();
  EXPECT_EQ(asked(), std::nullopt);
  EXPECT_TRUE(snapshots_.undecided());
  EXPECT_FALSE(snapshots_.busy()) << "nothing is to be done for it now";
  process_writes(8, "b", 9, 300);
  const auto again = asked();
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->one_image);
}

TEST_F(Undecided, AProcessThatIsOlderThanTheWatchMayHaveStartedBefore) {
  start_at(301);
  is_undecided();
  process_writes(8, "b", 9, 90);
  EXPECT_EQ(asked(), std::nullopt);
}

TEST_F(Undecided, WhatStartedLaterIsNotWhatHadStarted) {
  start_at(301);
  is_undecided();
  start_at(401);
  process_writes(8, "b", 9, 400);
  EXPECT_EQ(asked(), std::nullopt) << "that one started later";
}

TEST_F(Undecided, WhatSaidSoBeforeTheLookOrAfterTheFileIsNotBetween) {
  struct Case {
    std::uint64_t said;
    bool clock_was_set;
    bool one;
  };
  for (const Case& c : {Case{7 * kSecond + 1, false, true}, Case{7 * kSecond, false, false},
                        Case{7 * kSecond + 1, true, false}}) {
    clock_was_set_ = c.clock_was_set;
    snapshots_ = {};
    snapshots_.starts().watched(100);
    process_writes(7, "a", 5, 200);
    snapshots_.starts().started(kHash, {.tick = 301, .time_ns = 5 * kSecond});
    snapshots_.starts().started(kHash, {.tick = 301, .time_ns = c.said});
    is_undecided();
    const auto again = asked();
    EXPECT_EQ(again && again->one_image, c.one);
  }
}

// A first file may be another image's than the one that is seen then, which is known later.
TEST_F(Undecided, NoImageIsKnownTwice) {
  snapshots_.running({.process_starts = {{8, 300}}, .last_pid = 8, .end_ns = 6 * kSecond});
  start_at(301);
  saw(path(8, 6));
  ASSERT_TRUE(next<LookAtWriter>());
  const Sighting seen{
      .at_ns = 7 * kSecond, .image = "b", .exact = true, .process_start = 300, .until_ns = 1};
  snapshots_.on_looked({path(8, 6), seen});
  start_at(302);  // perhaps it is process 7's
  is_undecided();
  snapshots_.read_from(path(8, 9), memory_of("b", 300));
  saw(path(8, 9));
  ASSERT_TRUE(next<FoldSnapshot>());
  snapshots_.on_folded({.standing = path(8, 6),
                        .appeared = path(8, 9),
                        .fold = Fold::kept,
                        .file = {path(8, 9), 20, 7},
                        .seen = seen},
                       now_);
  EXPECT_EQ(asked(), std::nullopt);
}

TEST_F(Undecided, AnImageWhoseMemoryWasReadHadStarted) {
  start_at(301);
  is_undecided();
  snapshots_.read_from(path(8, 9), memory_of("b", 300));
  process_writes(8, "b", 9, 300);
  start_at(302);  // another one's
  const auto again = asked();
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->one_image);
}

TEST_F(Undecided, AnImageThatWasExecutedIsKnownByTheOneBefore) {
  start_at(202);
  process_writes(8, "b", 6, 150);
  start_at(301);
  is_undecided();
  another_image_writes();
  const auto again = asked();
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->one_image);
}

TEST_F(Undecided, WhoBeganToCountAnewAndIsGoneExecutedAnotherImage) {
  start_at(202);
  process_writes(8, "b", 6, 150);
  start_at(301);
  is_undecided();
  saw(path(8, 9));
  ASSERT_TRUE(next<FoldSnapshot>());
  snapshots_.on_folded(
      {.standing = path(8, 6), .appeared = path(8, 9), .fold = Fold::kept, .anew = true}, now_);
  const auto again = asked();
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->one_image);
}

TEST_F(Undecided, WhoWasListedBeganItsLifeThenAlsoIfItIsGoneWhenItsFileComes) {
  start_at(301);
  is_undecided();
  ProcessesFound found{.process_starts = {{8, 300}}, .last_pid = 8, .end_ns = 8 * kSecond};
  found.processes.push_back({.pid = 8, .image = "b", .exact = true});
  snapshots_.running(found);
  writes_and_is_gone(8, 9);
  const auto again = asked();
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->one_image);
}

TEST_F(Undecided, WhoCameAndWentBetweenTwoListsBeganAfterTheFirst) {
  snapshots_.running({.process_starts = {{7, 200}}, .last_pid = 7, .end_ns = 6 * kSecond});
  start_at(301);
  is_undecided();
  snapshots_.running({.process_starts = {{20, 0}}, .last_pid = 20, .end_ns = 8 * kSecond});
  writes_and_is_gone(8, 7);  // told only now
  const auto again = asked();
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->one_image);
}

TEST_F(Undecided, WhoHasAYoungerPidThanAllWhenTheWatchBeganBeganLater) {
  for (const std::uint32_t last_pid : {7U, 0U}) {
    snapshots_ = {};
    snapshots_.starts().watched(100);
    snapshots_.watched(3 * kSecond, last_pid);
    start_at(201);
    process_writes(7, "a", 5, 200);
    start_at(301);
    is_undecided();
    writes_and_is_gone(8, 9);
    const auto again = asked();
    EXPECT_EQ(again && again->one_image, last_pid > 0);
  }
}

// Which of them it was that started at 301 is told by the pids that had been given.
TEST_F(Undecided, WhoGotAPidLaterThanAStartDidNotStartThen) {
  for (const std::uint32_t given : {7U, 8U}) {
    snapshots_ = {};
    snapshots_.starts().watched(100);
    start_at(201);
    process_writes(7, "a", 5, 200);
    snapshots_.running({.process_starts = {{7, 200}}, .last_pid = 7, .end_ns = 6 * kSecond});
    snapshots_.starts().started(kHash, {.tick = 301, .last_pid = given});
    snapshots_.starts().started(kHash, {.tick = 302, .last_pid = 9});
    is_undecided();
    writes_and_is_gone(9, 9);
    EXPECT_EQ(asked(), std::nullopt) << "one of two isn't known";
    writes_and_is_gone(8, 9);
    const auto again = asked();
    EXPECT_EQ(again && again->one_image, true);
  }
}

TEST_F(Undecided, WhoeverWroteAFileHasStartedAlsoIfItsImageIsNotSure) {
  snapshots_.running({.process_starts = {{7, 200}}, .last_pid = 7, .end_ns = 6 * kSecond});
  start_at(301);
  is_undecided();
  saw(path(8, 9));
  ASSERT_TRUE(next<LookAtWriter>());
  snapshots_.on_looked({path(8, 9), {.at_ns = 10 * kSecond, .image = "b", .exact = false}});
  const auto again = asked();
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->one_image);
}

// Of a process that was never seen: one that began after those that run were listed.
TEST_F(Undecided, WhoHasAYoungerPidThanAllWhenTheyWereListedBeganLater) {
  for (const bool younger : {true, false}) {
    ProcessesFound found{
        .process_starts = {{7, 200}}, .last_pid = younger ? 7U : 8U, .end_ns = 6 * kSecond};
    snapshots_.running(found);
    start_at(301);
    if (younger) is_undecided();
    writes_and_is_gone(8, 9);
    const auto again = asked();
    EXPECT_EQ(again && again->one_image, younger);
    snapshots_ = {};
    snapshots_.starts().watched(100);
    start_at(201);
    process_writes(7, "a", 5, 200);
  }
}

TEST_F(Undecided, TwoImagesOfAProcessHaveNotStartedThreeTimes) {
  start_at(202);
  snapshots_.read_from(path(8, 6), memory_of("b", 150));
  process_writes(8, "b", 6, 150);
  start_at(301);
  is_undecided();
  start_at(302);
  another_image_writes();
  EXPECT_EQ(asked(), std::nullopt);
}

TEST_F(Undecided, AfterAWhileItStaysApart) {
  start_at(301);
  is_undecided();
  const MonoTime end = now_ + Snapshots::kUndecided;
  EXPECT_EQ(asked(), std::nullopt);
  EXPECT_EQ(snapshots_.deadline(), end);
  now_ = end;
  const auto again = asked();
  ASSERT_TRUE(again);
  EXPECT_FALSE(again->one_image);
  EXPECT_FALSE(again->may_wait);
  EXPECT_EQ(answer(Fold::kept)->file.path, path(7, 7));
  EXPECT_EQ(snapshots_.deadline(), std::nullopt);
}

TEST_F(Undecided, OrAtOnceIfNothingMoreCanBeFoundOut) {
  start_at(301);
  is_undecided();
  snapshots_.decide();
  const auto again = asked();
  ASSERT_TRUE(again);
  EXPECT_FALSE(again->may_wait);
}

// It goes on as another image: of each further file it is seen at once who wrote it.
TEST_F(Undecided, FurtherFilesOfTheProcessWaitToo) {
  start_at(301);
  is_undecided();
  saw(path(7, 8));
  const auto look = next<LookAtWriter>();
  ASSERT_TRUE(look);
  EXPECT_EQ(look->path, path(7, 8));
  EXPECT_EQ(snapshots_.on_looked({path(7, 8), {.image = "b", .exact = true}}), std::nullopt);
  EXPECT_EQ(asked(), std::nullopt);
  now_ += Snapshots::kUndecidedFirst;
  EXPECT_EQ(asked()->appeared, path(7, 7)) << "not for so long";
  answer(Fold::kept);
  const auto second = asked();
  ASSERT_TRUE(second);
  EXPECT_EQ(second->appeared, path(7, 8));
  ASSERT_TRUE(second->seen);
  EXPECT_EQ(second->seen->image, "b");
  EXPECT_EQ(second->seen->starts, 3U);
}

TEST_F(Undecided, WhatIsLeftInTheEndIsNamed) {
  start_at(301);
  is_undecided();
  const auto left = snapshots_.left_undecided();
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(left[0].file.path, path(7, 7));
}

TEST_F(Undecided, WithoutAWatchNothingWaits) {
  snapshots_.starts().unwatched();
  saw(path(7, 7));
  EXPECT_FALSE(asked()->may_wait);
}

TEST_F(Undecided, WhatMayHaveBeenMissedLeavesItOpen) {
  snapshots_.starts().watched(300);
  is_undecided();
  EXPECT_EQ(asked(), std::nullopt);
}

}  // namespace
}  // namespace integcov::supervise
