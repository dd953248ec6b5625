#include "upload/queue.h"

#include <gtest/gtest.h>

namespace integcov::upload {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using Paths = std::vector<std::string>;

constexpr MonoTime kStart{std::chrono::hours(1)};
constexpr MonoTime kLater = kStart + Queue::kBetweenVersions;

const Outcome kStored = Stored{};
const Outcome kBusy = Failed{.retryable = true, .reason = "HTTP 503"};
const Outcome kForbidden = Failed{.retryable = false, .reason = "HTTP 403"};

FileEntry file(std::string path, std::uint64_t size = 10, std::int64_t mtime = 1) {
  return {std::move(path), size, mtime};
}

Paths start_all(Queue& queue, MonoTime now) {
  Paths paths;
  while (const auto job = queue.next(now)) paths.push_back(job->file.path);
  return paths;
}

Paths unsaved(const Queue& queue) {
  Paths paths;
  for (const Unsaved& one : queue.unsaved()) paths.push_back(one.file.path);
  return paths;
}

class QueueTest : public ::testing::Test {
 protected:
  // Adds one file and starts its first try.
  UploadId start(const std::string& path) {
    queue_.add(file(path), Rank::counters);
    return queue_.next(kStart)->id;
  }
  // The time of the next try, after one that failed at `now`.
  MonoTime fail(UploadId id, const Outcome& outcome, MonoTime now) {
    EXPECT_EQ(queue_.finished(id, outcome, now), Verdict::will_retry);
    EXPECT_FALSE(queue_.next(now));
    return queue_.deadline().value();
  }

  Queue queue_{1};
};

TEST_F(QueueTest, AnEmptyOneIsIdleAndWaitsForNothing) {
  EXPECT_TRUE(queue_.idle());
  EXPECT_FALSE(queue_.next(kStart));
  EXPECT_EQ(queue_.deadline(), std::nullopt);
  EXPECT_EQ(queue_.file(1), nullptr);
  EXPECT_EQ(queue_.failures(1), 0);
}

TEST_F(QueueTest, WhatIsWorthMostGoesFirst) {
  queue_.add(file("log"), Rank::other);
  queue_.add(file("old"), Rank::counters, 100);
  queue_.add(file("new"), Rank::counters, 200);
  queue_.add(file("meta"), Rank::covmeta);
  queue_.add(file("log2"), Rank::other);
  EXPECT_EQ(unsaved(queue_), (Paths{"meta", "new", "old", "log", "log2"}));
  EXPECT_EQ(start_all(queue_, kStart), (Paths{"meta", "new", "old", "log", "log2"}));
}

TEST_F(QueueTest, ARunsRecordComesAfterItsCountersAndIsNotCounted) {
  queue_.add(file("log"), Rank::other);
  queue_.add(file("record"), Rank::record);
  queue_.add(file("counters"), Rank::counters);
  EXPECT_EQ(start_all(queue_, kStart), (Paths{"counters", "record", "log"}));
  EXPECT_EQ(unsaved(queue_), (Paths{"counters", "log"}));
  for (const UploadId id : queue_.running()) {
    EXPECT_EQ(queue_.finished(id, kStored, kStart), Verdict::stored);
  }
  EXPECT_EQ(queue_.totals().stored, 2U);
  EXPECT_EQ(queue_.totals().bytes, 20U);
  queue_.add(file("record", 20, 2), Rank::record);
  EXPECT_EQ(queue_.totals().stored, 2U) << "a new version takes nothing away either";
}

TEST_F(QueueTest, WaitingMeansNotStartedOrNotAnew) {
  EXPECT_FALSE(queue_.waiting(Rank::other));
  queue_.add(file("counters"), Rank::counters);
  EXPECT_TRUE(queue_.waiting(Rank::counters));
  EXPECT_TRUE(queue_.waiting(Rank::record)) << "or worth more";
  EXPECT_FALSE(queue_.waiting(Rank::covmeta));

  const UploadId id = queue_.next(kStart)->id;
  EXPECT_FALSE(queue_.waiting(Rank::other)) << "it is on its way";
  queue_.add(file("counters", 20, 2), Rank::counters);
  EXPECT_TRUE(queue_.waiting(Rank::counters)) << "its newer version isn't";
  EXPECT_EQ(queue_.finished(id, kBusy, kStart), Verdict::will_retry);
  EXPECT_TRUE(queue_.waiting(Rank::counters)) << "for another try";
  EXPECT_EQ(queue_.next(kStart + minutes(1))->id, id);
  EXPECT_EQ(queue_.finished(id, kForbidden, kLater), Verdict::gave_up);
  EXPECT_FALSE(queue_.waiting(Rank::other)) << "there is no other try";
}

TEST_F(QueueTest, OnlySoManyAtOnce) {
  Queue queue(1, 2);
  for (const char* path : {"a", "b", "c"}) queue.add(file(path), Rank::counters);
  EXPECT_EQ(start_all(queue, kStart), (Paths{"a", "b"}));
  EXPECT_EQ(queue.deadline(), std::nullopt) << "only the end of an upload helps";
  EXPECT_EQ(queue.running().size(), 2U);
  EXPECT_EQ(queue.finished(1, kStored, kStart), Verdict::stored);
  EXPECT_EQ(start_all(queue, kStart), Paths{"c"});
}

TEST_F(QueueTest, NothingStartsWhileItIsHeld) {
  queue_.hold_until(kStart + seconds(1));
  queue_.add(file("a"), Rank::covmeta);
  EXPECT_FALSE(queue_.next(kStart));
  EXPECT_EQ(queue_.deadline(), kStart + seconds(1));
  EXPECT_FALSE(queue_.next(kStart + seconds(1) - Duration(1)));
  EXPECT_TRUE(queue_.next(kStart + seconds(1)));
}

TEST_F(QueueTest, WhatIsStoredIsCountedAndForgotten) {
  const UploadId id = start("a");
  EXPECT_EQ(queue_.file(id)->path, "a");
  EXPECT_FALSE(queue_.idle());
  EXPECT_EQ(queue_.finished(id, Stored{.already_there = true}, kStart), Verdict::stored);
  EXPECT_TRUE(queue_.idle());
  EXPECT_EQ(queue_.file(id), nullptr);
  EXPECT_EQ(queue_.totals().stored, 1U);
  EXPECT_EQ(queue_.totals().bytes, 10U);
  EXPECT_EQ(unsaved(queue_), Paths{});
}

TEST_F(QueueTest, ATransientFailureIsTriedAgainWithGrowingWaits) {
  const UploadId id = start("a");
  MonoTime now = kStart;
  Duration ceiling = Backoff::kInitial;
  for (int tries = 1; tries <= 20; ++tries) {
    const MonoTime next = fail(id, kBusy, now);
    EXPECT_EQ(queue_.failures(id), tries);
    EXPECT_GT(next, now);
    EXPECT_LE(next, now + ceiling);
    EXPECT_FALSE(queue_.next(next - Duration(1)));
    now = next;
    EXPECT_EQ(queue_.next(now)->id, id) << "the same id over all tries";
    ceiling = std::min<Duration>(ceiling * 2, Queue::kLongestWait);
  }
  EXPECT_EQ(queue_.unsaved()[0].reason, "HTTP 503");
  EXPECT_EQ(queue_.finished(id, kStored, now), Verdict::stored);
}

TEST_F(QueueTest, TheServersRetryAfterIsTheLeastWait) {
  const UploadId id = start("a");
  const MonoTime next = fail(id, Failed{.retryable = true, .retry_after = minutes(2)}, kStart);
  EXPECT_EQ(next, kStart + minutes(2));
}

TEST_F(QueueTest, ProgressRestartsTheBackoff) {
  const UploadId id = start("a");
  MonoTime now = kStart;
  for (int i = 0; i < 10; ++i) {
    now = fail(id, kBusy, now);
    queue_.next(now);
  }
  EXPECT_LE(fail(id, Failed{.retryable = true, .progressed = true}, now), now + Backoff::kInitial);
}

TEST_F(QueueTest, APermanentFailureDoesNotStopTheOthers) {
  const UploadId bad = start("bad");
  queue_.add(file("good"), Rank::counters);
  EXPECT_EQ(queue_.finished(bad, kForbidden, kStart), Verdict::gave_up);
  EXPECT_EQ(start_all(queue_, kStart), Paths{"good"});
  EXPECT_EQ(queue_.finished(2, kStored, kStart), Verdict::stored);
  EXPECT_TRUE(queue_.idle());
  EXPECT_EQ(queue_.deadline(), std::nullopt);
  ASSERT_EQ(unsaved(queue_), Paths{"bad"});
  EXPECT_EQ(queue_.unsaved()[0].reason, "HTTP 403");
}

TEST_F(QueueTest, AtTheEndEverythingIsTriedOnceMoreAtOnce) {
  const UploadId bad = start("bad");
  const UploadId slow = start("slow");
  queue_.finished(bad, kForbidden, kStart);
  queue_.finished(slow, kBusy, kStart);
  queue_.hold_until(kStart + minutes(1));
  queue_.add(file("held"), Rank::covmeta);
  queue_.hurry(kStart, kStart + minutes(1));
  EXPECT_EQ(start_all(queue_, kStart), (Paths{"held", "bad", "slow"}));
  EXPECT_EQ(queue_.finished(bad, kForbidden, kStart), Verdict::gave_up);
  EXPECT_EQ(start_all(queue_, kStart), Paths{});
}

TEST_F(QueueTest, AtTheEndOnlyTheServersWordIsWaitedFor) {
  const UploadId id = start("a");
  for (int i = 0; i < 12; ++i) queue_.next(fail(id, kBusy, kStart));  // long waits by now
  queue_.finished(id, Failed{.retryable = true, .retry_after = seconds(1)}, kStart);
  queue_.hurry(kStart, kStart + seconds(10));
  EXPECT_FALSE(queue_.next(kStart));
  EXPECT_EQ(queue_.deadline(), kStart + seconds(1));
}

TEST_F(QueueTest, AWaitBeyondTheEndIsCutToOneLastChance) {
  const UploadId id = start("a");
  queue_.finished(id, Failed{.retryable = true, .retry_after = minutes(9)}, kStart);
  const MonoTime end = kStart + seconds(10);
  queue_.hurry(kStart, end);
  const MonoTime last = end - Queue::kLastChance;
  EXPECT_EQ(queue_.deadline(), last);
  EXPECT_EQ(queue_.next(last)->id, id);
  EXPECT_EQ(fail(id, Failed{.retryable = true, .retry_after = minutes(9)}, last),
            last + minutes(9));
}

TEST_F(QueueTest, TheLastChanceHasHalfOfWhatIsLeft) {
  const UploadId id = start("a");
  queue_.hurry(kStart, kStart + seconds(10));
  const MonoTime now = kStart + seconds(9);
  EXPECT_EQ(fail(id, Failed{.retryable = true, .retry_after = seconds(5)}, now),
            now + milliseconds(500));
}

TEST_F(QueueTest, AnEarlierEndCutsTheWaitsThatAreUnderWay) {
  const UploadId id = start("a");
  queue_.hurry(kStart, kStart + minutes(1));
  EXPECT_EQ(fail(id, Failed{.retryable = true, .retry_after = seconds(30)}, kStart),
            kStart + seconds(30));
  queue_.finish_by(kStart + seconds(11), kStart + seconds(1));
  EXPECT_EQ(queue_.deadline(), kStart + seconds(9));
  queue_.finish_by(kStart + seconds(5), kStart + seconds(2));
  EXPECT_EQ(queue_.deadline(), kStart + milliseconds(3500));
}

TEST_F(QueueTest, InAHurryTheWaitsAreShort) {
  const UploadId id = start("a");
  queue_.hurry(kStart, kStart + minutes(5));
  MonoTime now = kStart;
  for (int i = 0; i < 30; ++i) {
    const MonoTime next = fail(id, kBusy, now);
    EXPECT_LE(next, now + Queue::kLongestWaitInHurry);
    now = next;
    queue_.next(now);
  }
}

TEST_F(QueueTest, AWaitingFileIsReplacedByItsNewerVersion) {
  queue_.add(file("a", 10), Rank::counters);
  queue_.add(file("a", 20), Rank::counters);
  const auto job = queue_.next(kStart);
  EXPECT_EQ(job->file.size, 20U);
  EXPECT_FALSE(queue_.next(kStart));
}

TEST_F(QueueTest, AFileThatChangedWhileItWasSentIsSentAnew) {
  const UploadId id = start("a");
  queue_.add(file("a", 20), Rank::counters);
  EXPECT_FALSE(queue_.next(kStart)) << "never twice at once";
  EXPECT_EQ(queue_.file(id)->size, 10U) << "what is being sent";
  EXPECT_EQ(queue_.finished(id, kStored, kStart), Verdict::stored);
  EXPECT_EQ(unsaved(queue_), Paths{"a"});
  EXPECT_EQ(queue_.totals().stored, 0U) << "the newest version isn't there yet";
  EXPECT_EQ(queue_.next(kLater)->file.size, 20U);
  EXPECT_EQ(queue_.finished(id, kStored, kStart), Verdict::stored);
  EXPECT_EQ(queue_.totals().stored, 1U);
  EXPECT_EQ(queue_.totals().bytes, 20U);
}

TEST_F(QueueTest, AFileThatChangedWhileItFailedIsTriedInItsNewerVersion) {
  const UploadId id = start("a");
  queue_.add(file("a", 20), Rank::counters);
  const MonoTime next = fail(id, kBusy, kStart);
  EXPECT_EQ(queue_.next(next)->file.size, 20U);

  queue_.add(file("a", 30), Rank::counters);
  EXPECT_EQ(queue_.finished(id, kForbidden, next), Verdict::will_retry) << "not that version's end";
  EXPECT_EQ(queue_.next(next + Queue::kBetweenVersions)->file.size, 30U);
  EXPECT_EQ(queue_.finished(id, kForbidden, next), Verdict::gave_up);
}

TEST_F(QueueTest, ANewerVersionOfWhatWasGivenUpIsTried) {
  const UploadId id = start("a");
  queue_.finished(id, kForbidden, kStart);
  queue_.add(file("a", 20), Rank::counters);
  const auto job = queue_.next(kLater);
  EXPECT_EQ(job->id, id);
  EXPECT_EQ(job->file.size, 20U);
}

TEST_F(QueueTest, ANewerVersionDoesNotCutAWaitShort) {
  const UploadId id = start("a");
  const MonoTime next = fail(id, kBusy, kStart);
  queue_.add(file("a", 20), Rank::counters);
  EXPECT_FALSE(queue_.next(kStart));
  EXPECT_GE(queue_.deadline(), next);
  EXPECT_EQ(queue_.next(kLater)->file.size, 20U);
}

TEST_F(QueueTest, APathCountsOnceHoweverOftenItIsStored) {
  queue_.finished(start("a"), kStored, kStart);
  queue_.add(file("a", 25), Rank::counters);
  EXPECT_EQ(queue_.totals().stored, 0U);
  queue_.finished(queue_.next(kLater)->id, kStored, kLater);
  EXPECT_EQ(queue_.totals().stored, 1U);
  EXPECT_EQ(queue_.totals().bytes, 25U);
}

TEST_F(QueueTest, WhatRunsAtTheEndIsUnsaved) {
  const UploadId id = start("a");
  EXPECT_EQ(queue_.running(), std::vector<UploadId>{id});
  EXPECT_EQ(unsaved(queue_), Paths{"a"});
  EXPECT_EQ(queue_.unsaved()[0].reason, "");
}

TEST_F(QueueTest, TheDeadlineIsTheEarliestTry) {
  const UploadId a = start("a");
  const UploadId b = start("b");
  queue_.finished(a, Failed{.retryable = true, .retry_after = seconds(20)}, kStart);
  queue_.finished(b, Failed{.retryable = true, .retry_after = seconds(10)}, kStart);
  EXPECT_FALSE(queue_.next(kStart + seconds(5)));
  EXPECT_EQ(queue_.deadline(), kStart + seconds(10));
  EXPECT_EQ(start_all(queue_, kStart + seconds(10)), Paths{"b"});
  EXPECT_EQ(queue_.deadline(), kStart + seconds(20));
}

}  // namespace
}  // namespace integcov::upload
