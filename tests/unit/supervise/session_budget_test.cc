// What bounds a session, and what it does about failures.
#include "supervise/session.h"

#include <gtest/gtest.h>

#include <csignal>

#include "unit/supervise/session_driver.h"

namespace integcov::supervise {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::Driver;
using testing::kCounters;
using testing::kHash;
using testing::kMeta;
using testing::Lines;
using testing::with;

// ---- The budget ----

// An upload that never ends; the child has exited and nothing else is open.
void expect_the_end_after(Driver& d, Duration rest) {
  d.wait(rest - Duration(1));
  d.expect_nothing();
  d.wait(Duration(1));
  d.expect<AbortUpload>();
  d.expect_exit(0);
}

TEST(SessionBudget, TheAppIsNeverHurried) {
  Driver d;
  d.writes(kMeta);
  d.expect_upload(kMeta);
  d.signal(SIGTERM);
  d.expect_forwarded(SIGTERM);
  d.wait(minutes(60));
  d.expect_nothing();
}

TEST(SessionBudget, AfterAStopTheGraceCountsFromTheSignal) {
  Driver d;
  d.writes(kMeta);
  d.expect_upload(kMeta);
  d.signal(SIGINT);
  d.expect_forwarded(SIGINT);
  d.wait(seconds(4));
  d.app_ends(0);
  d.expect<CloseWatch>();
  expect_the_end_after(d, milliseconds(5500));
}

TEST(SessionBudget, AnAppThatOutlivesTheGraceLeavesAnother) {
  Driver d;
  d.writes(kMeta);
  d.expect_upload(kMeta);
  d.signal(SIGTERM);
  d.expect_forwarded(SIGTERM);
  d.wait(seconds(20));
  d.app_ends(0);
  d.expect<CloseWatch>();
  expect_the_end_after(d, seconds(10));
}

TEST(SessionBudget, AnAppThatEndsByItselfLeavesTheUploadTimeout) {
  Driver d;
  d.writes(kMeta);
  d.expect_upload(kMeta);
  d.app_ends(0);
  d.expect<CloseWatch>();
  expect_the_end_after(d, seconds(60));
}

TEST(SessionBudget, AStopDuringThatLowersTheDeadline) {
  Driver d;
  d.writes(kMeta);
  d.expect_upload(kMeta);
  d.app_ends(0);
  d.expect<CloseWatch>();
  d.wait(seconds(5));
  d.signal(SIGTERM);
  expect_the_end_after(d, milliseconds(9500));
}

TEST(SessionBudget, WhatIsLeftAtTheDeadlineIsNamed) {
  Driver d;
  d.writes(kMeta);
  d.expect_stored(kMeta);
  d.writes(kCounters);
  const auto id = d.expect_upload(kCounters);
  d.appears({"app.log", 3, 1});
  d.app_ends(0);
  const auto log = d.expect_upload("app.log");
  d.expect<CloseWatch>();
  d.wait(seconds(60));
  EXPECT_EQ(d.expect<AbortUpload>().id, id);
  EXPECT_EQ(d.expect<AbortUpload>().id, log);
  d.expect_exit(0);
  EXPECT_EQ(d.lines(),
            (Lines{"still uploading 2 files to gs://bucket/folder, for at most 57 s",
                   "2 of 3 files were not uploaded to gs://bucket/folder (the time was over); they "
                   "stay in /cov: " +
                       kCounters + ", app.log"}));
}

TEST(SessionBudget, AListingThatNeverComesDoesNotKeepUs) {
  Driver d;
  d.answers_listings = false;
  d.expect<ListFolder>();
  d.app_ends(7);
  d.wait(seconds(60));
  d.expect_exit(7);
}

TEST(SessionBudget, ATryThatCannotBeginInTimeIsNotWaitedFor) {
  Driver d;
  d.writes(kMeta);
  const auto id = d.expect_upload(kMeta);
  d.app_ends(0);
  d.expect<CloseWatch>();
  const Event busy = UploadFinished{
      id, upload::Failed{.retryable = true, .retry_after = minutes(5), .reason = "HTTP 429"}};
  d.tell(busy);
  d.wait(minutes(1) - upload::Queue::kLastChance);
  d.expect_upload(kMeta);
  d.tell(busy);
  d.expect_exit(0);
  EXPECT_EQ(d.elapsed(), seconds(58));
  const Lines lines = d.lines();
  ASSERT_FALSE(lines.empty());
  EXPECT_NE(lines.back().find("(HTTP 429)"), std::string::npos);
}

// ---- Failures ----

TEST(SessionFailures, ATransientOneIsTriedAgainWithoutAWord) {
  Driver d;
  d.writes(kMeta);
  const auto id = d.expect_upload(kMeta);
  d.fail(id);
  d.expect_nothing();
  d.wait(milliseconds(100));
  EXPECT_EQ(d.expect_upload(kMeta), id);
  d.store(id);
  d.expect_recorded(kMeta);
  EXPECT_EQ(d.lines(), Lines{});
}

TEST(SessionFailures, ManyInARowAreWorthOneWarning) {
  Driver d;
  d.writes(kMeta);
  auto id = d.expect_upload(kMeta);
  for (int tries = 1; tries <= 12; ++tries) {
    d.fail(id);
    EXPECT_EQ(d.lines().size(), tries == Session::kWorthAWarning ? 1U : 0U) << tries;
    d.wait(seconds(30));
    id = d.expect_upload(kMeta);
  }
}

TEST(SessionFailures, APermanentOneIsWarnedOfOnceAndTriedAgainAtTheEnd) {
  Driver d;
  d.writes(kMeta);
  d.writes(kCounters);
  const auto meta = d.expect_upload(kMeta);
  const auto counters = d.expect_upload(kCounters);
  d.refuse(meta);
  d.refuse(counters);
  EXPECT_EQ(d.lines(), Lines{"cannot upload to gs://bucket/folder: HTTP 403"});
  d.wait(minutes(10));
  d.expect_nothing();

  d.app_ends(0);
  EXPECT_EQ(d.expect_upload(kMeta), meta);
  EXPECT_EQ(d.expect_upload(kCounters), counters);
  d.expect<CloseWatch>();
  d.refuse(meta);
  d.store(counters);
  d.expect_recorded(kCounters);
  EXPECT_EQ(d.lines(), Lines{"1 of 2 files was not uploaded to gs://bucket/folder (HTTP 403); it "
                             "stays in /cov: " +
                             kMeta});
  d.expect_exit(0);
}

TEST(SessionFailures, OneFailingFileNeverStopsTheOthers) {
  Driver d;
  d.writes(kMeta);
  d.refuse(d.expect_upload(kMeta));
  for (int i = 0; i < 40; ++i) {
    const std::string path = "covcounters." + kHash + ".7." + std::to_string(1000 + i);
    d.writes(path);
    d.expect_stored(path);
  }
  d.app_ends(0);
  const auto id = d.expect_upload(kMeta);
  d.expect<CloseWatch>();
  d.refuse(id);
  d.expect_exit(0);
}

TEST(SessionFailures, ChangeTheExitStatusOnlyIfAskedToAndOnlyOfAnAppThatSucceeded) {
  const auto code_of = [](bool fail_on_upload_error, int app_code) {
    Driver d(with([&](auto& o) { o.fail_on_upload_error = fail_on_upload_error; }));
    d.writes(kMeta);
    const auto id = d.expect_upload(kMeta);
    d.app_ends(app_code);
    d.expect<CloseWatch>();
    d.refuse(id);
    return d.expect<Exit>().status.shell_code();
  };
  EXPECT_EQ(code_of(false, 0), 0);
  EXPECT_EQ(code_of(false, 3), 3);
  EXPECT_EQ(code_of(true, 0), kExitOwnError);
  EXPECT_EQ(code_of(true, 3), 3);
}

TEST(SessionFailures, WithoutOneTheExitStatusStaysZero) {
  Driver d(with([](auto& o) { o.fail_on_upload_error = true; }));
  d.writes(kMeta);
  d.expect_stored(kMeta);
  d.app_ends(0);
  d.expect<CloseWatch>();
  d.expect_exit(0);
}

TEST(SessionFailures, ANoteOfTheBackendIsSaidOnce) {
  Driver d;
  for (const std::string& path : {kMeta, kCounters}) {
    d.writes(path);
    d.tell(UploadFinished{d.expect_upload(path), upload::Stored{.note = "appended"}});
    d.expect_recorded(path);
  }
  EXPECT_EQ(d.lines(), Lines{"appended"});
}

TEST(SessionFailures, ARetryAfterBeyondTheEndLeavesOneLastChance) {
  Driver d;
  d.writes(kMeta);
  const auto id = d.expect_upload(kMeta);
  const Event busy = UploadFinished{
      id, upload::Failed{.retryable = true, .retry_after = minutes(5), .reason = "HTTP 429"}};
  d.signal(SIGTERM);
  d.expect_forwarded(SIGTERM);
  d.tell(busy);
  d.app_ends(0);
  d.expect<CloseWatch>();
  d.wait(milliseconds(7499));
  d.expect_nothing();
  d.wait(milliseconds(1));
  EXPECT_EQ(d.expect_upload(kMeta), id);
  d.tell(busy);
  d.expect_exit(0);  // at once: no time is left for a second one
}

TEST(SessionPrepares, ForTheLastUploadsOnceAStopSignalHasBeenForwarded) {
  Driver d;
  d.writes(kMeta);
  d.expect_stored(kMeta);
  d.signal(SIGHUP);
  EXPECT_EQ(d.prepared, 0);
  d.signal(SIGTERM);
  EXPECT_EQ(d.prepared, 1);
  d.signal(SIGTERM);
  EXPECT_EQ(d.prepared, 1) << "it is warm";
  d.wait(Session::kPrepared);
  d.signal(SIGINT);
  EXPECT_EQ(d.prepared, 2);
  d.app_ends(0);
  d.signal(SIGTERM);
  EXPECT_EQ(d.prepared, 2) << "the uploads themselves keep it warm";
}

TEST(SessionPrepares, NothingForAnAppWithoutCoverageOrStorage) {
  Driver bare;
  bare.signal(SIGTERM);
  EXPECT_EQ(bare.prepared, 0);
  Driver unset(with([](auto& o) { o.storage = ""; }));
  unset.writes(kMeta);
  unset.signal(SIGTERM);
  EXPECT_EQ(unset.prepared, 0);
}

TEST(SessionFailures, AtMostSoManyUploadsAtOnce) {
  Driver d;
  for (std::size_t i = 0; i < upload::Queue::kParallel + 2; ++i) {
    d.writes("covcounters." + kHash + ".7." + std::to_string(1000 + i));
  }
  upload::UploadId first = d.expect<StartUpload>().id;
  for (std::size_t i = 1; i < upload::Queue::kParallel; ++i) d.expect<StartUpload>();
  d.expect_nothing();
  d.store(first);
  d.expect<RecordUploaded>();
  d.expect<StartUpload>();
  d.expect_nothing();
}

}  // namespace
}  // namespace integcov::supervise
