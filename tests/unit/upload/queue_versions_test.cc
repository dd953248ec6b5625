// One object, version after version.
#include <gtest/gtest.h>

#include "upload/queue.h"

namespace integcov::upload {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr MonoTime kStart{std::chrono::hours(1)};
constexpr MonoTime kLater = kStart + Queue::kBetweenVersions;

const Outcome kStored = Stored{};
const Outcome kBusy = Failed{.retryable = true, .reason = "HTTP 503"};
const Outcome kMayNotReplace =
    Failed{.retryable = false, .reason = "HTTP 403", .may_not_replace = true};

class QueueVersions : public ::testing::Test {
 protected:
  // The file "a" changed for the nth time.
  void change(std::int64_t version, const std::string& object = {}, bool replaces = false) {
    queue_.add({"a", 10, version}, Rank::counters, 0, object, replaces);
  }
  Job next(MonoTime now) {
    const auto job = queue_.next(now);
    EXPECT_TRUE(job);
    return job.value_or(Job{});
  }
  Verdict finish(const Outcome& outcome, MonoTime now = kStart) {
    return queue_.finished(queue_.running().at(0), outcome, now);
  }

  Queue queue_{1};
};

TEST_F(QueueVersions, TheFirstReplacesNothing) {
  change(1);
  const Job job = next(kStart);
  EXPECT_EQ(job.object, "");
  EXPECT_FALSE(job.replaces);
}

TEST_F(QueueVersions, WhatTheCallerKnowsTravelsToTheJob) {
  change(1, "b", true);
  const Job job = next(kStart);
  EXPECT_EQ(job.file.path, "a");
  EXPECT_EQ(job.object, "b");
  EXPECT_TRUE(job.replaces);
}

TEST_F(QueueVersions, ANewerOneWaitsASecondAfterTheStartOfTheLastOne) {
  change(1);
  next(kStart);
  finish(kStored, kStart + milliseconds(300));
  EXPECT_TRUE(queue_.idle());
  change(2);
  EXPECT_FALSE(queue_.idle());
  EXPECT_FALSE(queue_.next(kStart + milliseconds(300)));
  EXPECT_EQ(queue_.deadline(), kLater);
  EXPECT_FALSE(queue_.next(kLater - Duration(1)));
  EXPECT_TRUE(next(kLater).replaces);
}

TEST_F(QueueVersions, OnlyTheNewestOfThoseThatWaitIsSent) {
  change(1);
  next(kStart);
  change(2);
  change(3);
  finish(kStored);
  change(4);
  change(5);
  const Job job = next(kLater);
  EXPECT_EQ(job.file.mtime_ns, 5);
  EXPECT_TRUE(job.replaces);
  finish(kStored, kLater);
  EXPECT_TRUE(queue_.idle());
  EXPECT_EQ(queue_.totals().stored, 1U);
}

TEST_F(QueueVersions, AfterASecondANewerOneGoesAtOnce) {
  change(1);
  next(kStart);
  finish(kStored);
  change(2);
  EXPECT_EQ(next(kStart + minutes(1)).file.mtime_ns, 2);
}

TEST_F(QueueVersions, ARetryOfTheSameOneIsNotHeldBackAndReplacesNothing) {
  change(1);
  next(kStart);
  finish(kBusy);
  const MonoTime again = queue_.deadline().value();
  EXPECT_LE(again, kStart + Backoff::kInitial);
  EXPECT_FALSE(next(again).replaces);
}

TEST_F(QueueVersions, ARetryOfAReplacingOneReplacesToo) {
  change(1);
  next(kStart);
  finish(kStored);
  change(2);
  next(kLater);
  finish(kBusy, kLater);
  EXPECT_TRUE(next(queue_.deadline().value()).replaces);
  finish(kBusy, kLater);
  change(2);
  EXPECT_TRUE(next(kLater + seconds(2)).replaces);
}

TEST_F(QueueVersions, AFailedOneMayBeThereAllTheSame) {
  change(1);
  next(kStart);
  change(2);
  finish(kBusy);
  EXPECT_EQ(queue_.deadline(), kLater);
  const Job job = next(kLater);
  EXPECT_EQ(job.file.mtime_ns, 2);
  EXPECT_TRUE(job.replaces);
}

TEST_F(QueueVersions, OneThatIsHeldBackKeepsTheServersWait) {
  change(1);
  next(kStart);
  finish(Failed{.retryable = true, .retry_after = seconds(30)});
  change(2);
  EXPECT_EQ(queue_.deadline(), kStart + seconds(30));
}

TEST_F(QueueVersions, AnotherNameIsTriedAtOnceAndReplacesNothing) {
  change(1);
  next(kStart);
  finish(kStored);
  change(2);
  next(kLater);
  EXPECT_EQ(finish(kMayNotReplace, kLater), Verdict::gave_up);
  change(2, "b");
  const Job job = next(kLater);
  EXPECT_EQ(job.object, "b");
  EXPECT_FALSE(job.replaces);
  finish(kStored, kLater);
  EXPECT_TRUE(queue_.unsaved().empty());
}

TEST_F(QueueVersions, AnotherNameForOneThatChangedWhileItWasRefused) {
  change(1, {}, true);
  next(kStart);
  change(2, {}, true);
  EXPECT_EQ(finish(kMayNotReplace), Verdict::will_retry);
  change(2, "b");
  const Job job = next(kStart);
  EXPECT_EQ(job.object, "b");
  EXPECT_FALSE(job.replaces);
}

TEST_F(QueueVersions, ThePathIsAnObjectsNameLikeAnyOther) {
  change(1);
  next(kStart);
  finish(kStored);
  change(2, "a");
  EXPECT_EQ(queue_.deadline(), kLater);
  const Job job = next(kLater);
  EXPECT_EQ(job.object, "");
  EXPECT_TRUE(job.replaces);
}

TEST_F(QueueVersions, AtTheEndTheLastOneIsStillHeldBack) {
  change(1);
  next(kStart);
  finish(kStored);
  change(2);
  queue_.hurry(kStart, kStart + seconds(10));
  EXPECT_EQ(queue_.deadline(), kLater);
  change(3);
  EXPECT_EQ(queue_.deadline(), kLater);
  EXPECT_EQ(next(kLater).file.mtime_ns, 3);
}

TEST_F(QueueVersions, ButNotBeyondTheEnd) {
  queue_.hurry(kStart, kStart + milliseconds(900));
  change(1);
  next(kStart);
  finish(kStored);
  change(2);
  EXPECT_EQ(next(kStart).file.mtime_ns, 2);
}

TEST_F(QueueVersions, AnEndThatComesEarlierCutsTheWait) {
  change(1);
  next(kStart);
  finish(kStored);
  change(2);
  queue_.hurry(kStart, kStart + milliseconds(800));
  EXPECT_EQ(queue_.deadline(), kStart + milliseconds(400)) << "half of what is left";
}

TEST_F(QueueVersions, StorageWithoutSuchALimitTakesThemAtOnce) {
  Queue queue(1, 4, Duration::zero());
  queue.add({"a", 10, 1}, Rank::counters);
  queue.next(kStart);
  queue.finished(1, kStored, kStart);
  queue.add({"a", 10, 2}, Rank::counters);
  EXPECT_TRUE(queue.next(kStart));
}

}  // namespace
}  // namespace integcov::upload
