// How a session ends, and which files it takes along.
#include "supervise/session.h"

#include <gtest/gtest.h>

#include <csignal>

#include "unit/supervise/session_driver.h"

namespace integcov::supervise {
namespace {

using coverage::ReadySet;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::Driver;
using testing::kCounters;
using testing::kLater;
using testing::kMeta;
using testing::Lines;
using testing::with;

// ---- Processes that outlive the main one ----

TEST(SessionDescendants, AreWaitedForOneSecond) {
  Driver d;
  d.writes(kMeta);
  d.expect_stored(kMeta);
  d.child_exits(0);
  d.expect_nothing();
  EXPECT_EQ(d.next_look(), seconds(1));
  d.wait(milliseconds(500));
  d.writes(kCounters);
  d.expect_stored(kCounters);
  d.wait(milliseconds(500));
  d.expect<CloseWatch>();
  d.expect_exit(0);
}

TEST(SessionDescendants, ThatStillRunAtTheEndAreToldOf) {
  const auto lines_when = [](bool gone) {
    Driver d;
    d.writes(kMeta);
    d.expect_stored(kMeta);
    d.child_exits(0);
    if (gone) d.descendants_go();
    d.wait(seconds(1));
    d.expect<CloseWatch>();
    d.expect_exit(0);
    return d.lines();
  };
  EXPECT_EQ(lines_when(false).at(1),  // after that it left no counters
            "processes that the program left still run: what coverage they write from now on stays "
            "in /cov");
  EXPECT_EQ(lines_when(true).size() + 1, lines_when(false).size());
}

TEST(SessionDescendants, OnceTheyAreGoneNothingIsWaitedFor) {
  Driver d;
  d.writes(kMeta);
  d.expect_stored(kMeta);
  d.child_exits(0);
  d.wait(milliseconds(300));
  d.appears({kCounters, 10, 1});
  d.expect_nothing();
  d.descendants_go();
  const auto id = d.expect_upload(kCounters);
  d.expect<CloseWatch>();
  d.store(id);
  d.expect_recorded(kCounters);
  d.expect_exit(0);
  EXPECT_EQ(d.elapsed(), milliseconds(300));
}

TEST(SessionDescendants, WithoutACovmetaTheyAreNotWaitedFor) {
  Driver d;
  d.child_exits(0);
  d.expect<CloseWatch>();
  d.expect_exit(0);
  EXPECT_EQ(d.elapsed(), Duration::zero());
}

TEST(SessionDescendants, ThatWriteWhileWeUploadAreNotForgotten) {
  Driver d;
  d.writes(kMeta);
  const auto meta = d.expect_upload(kMeta);
  d.child_exits(0);
  d.wait(seconds(1));
  d.expect<CloseWatch>();
  d.wait(seconds(3));
  d.appears({kLater, 10, 1});
  d.store(meta);
  d.expect_recorded(kMeta);
  d.expect_stored(kLater);
  d.expect_exit(0);
}

TEST(SessionDescendants, ThatGoOnWritingALogHaveItWholeInStorage) {
  Driver d;
  d.writes(kMeta);
  d.expect_stored(kMeta);
  d.writes_version({"app.log", 10, 1});
  d.child_exits(0);
  d.expect_stored("app.log");
  d.writes_version({"app.log", 20, 2});
  d.expect_stored("app.log");
  d.writes_version({"app.log", 30, 3});
  d.descendants_go();
  const auto id = d.expect_upload("app.log");
  d.expect<CloseWatch>();
  d.store(id);
  d.expect_recorded("app.log");
  d.expect_exit(0);
  EXPECT_EQ(d.lines().back(), "uploaded 2 files (40 B) to gs://bucket/folder");
}

TEST(SessionDescendants, ThatWriteWithoutEndDoNotKeepUs) {
  Driver d;
  d.writes(kMeta);
  d.expect_stored(kMeta);
  d.child_exits(0);
  d.wait(seconds(1));
  d.expect<CloseWatch>();
  d.expect_exit(0);
  EXPECT_EQ(d.elapsed(), seconds(1));
}

// ---- The end ----

TEST(SessionEnd, AListingFindsWhatNoEventTold) {
  Driver d;
  d.writes(kMeta);
  d.expect_stored(kMeta);
  d.wait(seconds(2));
  d.appears({kCounters, 10, 1});
  d.appears({"sub/app.log", 10, 1});
  d.app_ends(0);
  const auto counters = d.expect_upload(kCounters);
  const auto log = d.expect_upload("sub/app.log");
  d.expect<CloseWatch>();
  d.store(log);
  d.expect_recorded("sub/app.log");
  d.store(counters);
  d.expect_recorded(kCounters);
  d.expect_exit(0);
}

TEST(SessionEnd, AListingThatBeganBeforeTheExitIsNotTheLast) {
  Driver d;
  d.answers_listings = false;
  d.expect<ListFolder>();
  d.app_ends(0);
  d.expect_nothing();
  d.answer_listing();
  d.expect<ListFolder>();
  d.appears({kMeta, 10, 1});
  d.answer_listing();
  d.expect_upload(kMeta);
}

TEST(SessionEnd, WhatAppearsDuringTheLastUploadGoesUpToo) {
  Driver d;
  d.writes(kMeta);
  const auto meta = d.expect_upload(kMeta);
  d.writes(kCounters);
  const auto counters = d.expect_upload(kCounters);
  d.appears({"app.log", 1, 1});
  d.app_ends(0);
  const auto log = d.expect_upload("app.log");
  d.expect<CloseWatch>();
  d.appears({kLater, 10, 1});
  for (const auto id : {meta, counters, log}) {
    d.store(id);
    d.expect<RecordUploaded>();
  }
  d.expect_stored(kLater);
  d.expect_exit(0);
}

TEST(SessionEnd, TheWatchIsClosedOnceAfterTheUploadsHaveStarted) {
  Driver d;
  d.appears({kMeta, 10, 1});
  d.appears({kCounters, 10, 1});
  d.appears({kLater, 10, 1});
  d.child_exits(0);
  std::vector<upload::UploadId> ids;
  for (int i = 0; i < 3; ++i) ids.push_back(d.expect<StartUpload>().id);
  d.expect_nothing();
  d.descendants_go();
  d.expect<CloseWatch>();
  for (const auto id : ids) {
    d.store(id);
    d.expect<RecordUploaded>();
  }
  d.expect_exit(0);
}

TEST(SessionEnd, NothingIsSaidOrDoneAfterTheExit) {
  Driver d;
  d.app_ends(0);
  d.expect<CloseWatch>();
  d.expect_exit(0);
  d.lines();
  d.writes(kMeta);
  d.signal(SIGTERM);
  d.tell(EventsLost{});
  d.wait(minutes(5));
  d.expect_nothing();
  EXPECT_EQ(d.lines(), Lines{});
}

// ---- Where files count, and where they go ----

TEST(SessionScope, WithoutStorageTheFilesStayAndOneLineSaysWhere) {
  Driver d(with([](auto& o) { o.storage = ""; }));
  d.expect_nothing();
  d.writes(kMeta);
  d.writes(kCounters);
  d.signal(SIGTERM);
  d.expect_forwarded(SIGTERM);
  d.child_exits(3);
  d.expect<CloseWatch>();
  d.expect_exit(3);
  EXPECT_EQ(d.lines(),
            Lines{"the coverage files stay in /cov (INTEGCOV_STORAGE is not set; see go-integcov "
                  "--help)"});
}

TEST(SessionScope, WithoutStorageMissingCoverageIsStillSaid) {
  Driver d(with([](auto& o) { o.storage = ""; }));
  d.app_ends(0);
  d.expect<CloseWatch>();
  d.expect_exit(0);
  ASSERT_EQ(d.lines().size(), 1U);
}

TEST(SessionScope, InACarelessFolderOnlyCoverageGoesUp) {
  Driver d(with([](auto& o) { o.scope = ReadySet::Scope::coverage_only; }),
           {{"notes.txt", 1, 1}, {".ssh/id", 1, 1}});
  d.writes(kMeta);
  d.expect_stored(kMeta);
  d.writes("more.txt");
  d.app_ends(0);
  d.expect<CloseWatch>();
  d.expect_exit(0);
}

TEST(SessionEnd, AProgramThatLeftNoCountersIsTold) {
  Driver d;
  d.writes(kMeta);
  d.expect_stored(kMeta);
  d.app_ends(2);
  d.expect<CloseWatch>();
  d.expect_exit(2);
  const Lines lines = d.lines();
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_TRUE(lines[0].starts_with("the program left no counters in /cov")) << lines[0];
}

TEST(SessionEnd, AFileThatIsDeletedBeforeItsUploadIsNoFailure) {
  Driver d(with([](auto& o) { o.fail_on_upload_error = true; }));
  d.writes(kMeta);
  d.expect_stored(kMeta);
  d.writes(kCounters);
  d.vanish(d.expect_upload(kCounters));
  d.app_ends(0);
  d.expect<CloseWatch>();
  d.expect_exit(0);
  EXPECT_EQ(d.lines(), Lines{"uploaded 1 file (10 B) to gs://bucket/folder"});
}

TEST(SessionEnd, ManyFilesThatAreRefusedAreOneWarning) {
  Driver d;
  d.writes(kMeta);
  d.writes(kCounters);
  const auto meta = d.expect_upload(kMeta);
  const auto counters = d.expect_upload(kCounters);
  d.refuse(meta, "HTTP 403: covmeta");
  d.refuse(counters, "HTTP 403: counters");
  EXPECT_EQ(d.lines(), Lines{"cannot upload to gs://bucket/folder: HTTP 403: covmeta"});
}

TEST(SessionEnd, FilesThatAppearAfterTheLastLookDoNotKeepUs) {
  Driver d;
  d.writes(kMeta);
  d.expect_stored(kMeta);
  d.appears({"log.1", 1, 1});
  d.app_ends(0);
  const auto id = d.expect_upload("log.1");
  d.expect<CloseWatch>();
  d.appears({"log.2", 1, 1});
  d.store(id);
  d.expect_recorded("log.1");
  d.expect_exit(0);
}

}  // namespace
}  // namespace integcov::supervise
