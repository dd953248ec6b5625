#include "supervise/session.h"

#include <gtest/gtest.h>

#include <csignal>

#include "unit/supervise/session_driver.h"

namespace integcov::supervise {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::default_options;
using testing::Driver;
using testing::kCounters;
using testing::kMeta;
using testing::Lines;
using testing::with;

TEST(Session, TheMainJob) {
  Driver d;
  d.writes(kMeta);
  d.expect_stored(kMeta);

  d.wait(minutes(5));
  d.writes(kCounters);
  const auto id = d.expect_upload(kCounters);
  d.app_ends(0);
  d.expect<CloseWatch>();
  d.store(id);
  d.expect_recorded(kCounters);
  EXPECT_EQ(d.lines(), Lines{"uploaded 2 files (20 B) to gs://bucket/folder"});
  d.expect_exit(0);
}

TEST(Session, WhileTheAppRunsAndNothingIsToDoThereIsNoTimer) {
  Driver d;
  d.writes(kMeta);
  d.expect_stored(kMeta);
  EXPECT_EQ(d.next_look(), seconds(1)) << "the first look";
  d.wait(seconds(1));
  EXPECT_EQ(d.next_look(), std::nullopt);
}

TEST(Session, TheExitStatusIsTheApps) {
  Driver failing;
  failing.app_ends(3);
  failing.expect<CloseWatch>();
  failing.expect_exit(3);

  Driver killed;
  killed.child_is_killed(SIGKILL);
  killed.expect<CloseWatch>();
  killed.expect_exit(128 + SIGKILL);
}

TEST(Session, WithoutCoverageOneLineSaysWhy) {
  Driver d;
  d.app_ends(0);
  d.expect<CloseWatch>();
  d.expect_exit(0);
  const Lines lines = d.lines();
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_NE(lines[0].find("no coverage appeared in /cov"), std::string::npos);
}

TEST(Session, WhereTheFolderCannotBeListedItDoesNotSayThatThereIsNoCoverage) {
  Driver d;
  d.answers_listings = false;
  d.app_ends(0);
  for (int looks = 0; looks < 2; ++looks) {
    d.expect<ListFolder>();
    d.tell(FolderListed{.failed = true});
  }
  d.expect<CloseWatch>();
  d.expect_exit(0);
  EXPECT_EQ(d.lines(), Lines{});
}

// ---- The start ----

TEST(SessionStart, TheFirstUploadWaitsForTheJitter) {
  Driver d(with([](auto& o) { o.jitter = Session::kBeforeTheWatch + milliseconds(700); }));
  d.writes(kMeta);
  d.wait(milliseconds(699));
  d.expect_nothing();
  d.wait(milliseconds(1));
  d.expect_upload(kMeta);
}

TEST(SessionStart, AProgramThatEndsAtOnceIsNotWatched) {
  Driver d(with([](auto& o) { o.seed = 1; }), {}, {}, Driver::Begin::at_the_start);
  d.expect_nothing();
  EXPECT_EQ(d.next_look(), Session::kBeforeTheWatch);
  d.appears({kMeta, 10, 1});
  d.app_ends(0);
  EXPECT_EQ(d.watches, 0);
  const auto meta = d.expect_upload(kMeta);
  d.expect<CloseWatch>();
  d.store(meta);
  d.expect_recorded(kMeta);
}

TEST(SessionStart, AnExitCutsTheJitterShort) {
  Driver d(with([](auto& o) { o.jitter = milliseconds(700); }));
  d.writes(kMeta);
  d.expect_nothing();
  d.app_ends(0);
  d.expect_upload(kMeta);
}

TEST(SessionStart, AStopSignalCutsTheJitterShort) {
  for (const int stop : {SIGTERM, SIGINT}) {
    Driver d(with([](auto& o) { o.jitter = milliseconds(700); }));
    d.writes(kMeta);
    d.signal(stop);
    d.expect_forwarded(stop);
    d.expect_upload(kMeta);
  }
}

TEST(SessionStart, AnyOtherSignalLeavesTheJitterAsItIs) {
  Driver d(with([](auto& o) { o.jitter = Session::kBeforeTheWatch + milliseconds(700); }));
  d.writes(kMeta);
  d.signal(SIGHUP);
  d.expect_forwarded(SIGHUP);
  d.expect_nothing();
  EXPECT_EQ(d.next_look(), milliseconds(700));
}

TEST(SessionStart, LeftoversOfAnEarlierRunGoUpCovmetaFirst) {
  Driver d(default_options(), {{"app.log", 5, 1}, {kCounters, 10, 1}, {kMeta, 10, 1}});
  const auto meta = d.expect_upload(kMeta);
  const auto counters = d.expect_upload(kCounters);
  d.store(meta);
  d.expect_recorded(kMeta);
  d.store(counters);
  d.expect_recorded(kCounters);
  d.app_ends(0);
  d.expect_upload("app.log");
}

TEST(SessionStart, LeftoversThatAreInStorageStayUnlessTheyChanged) {
  const std::vector<FileEntry> earlier = {{kMeta, 10, 1}, {kCounters, 10, 1}};
  Driver d(default_options(), {{kMeta, 10, 1}, {kCounters, 11, 2}}, earlier);
  d.expect_stored(kCounters);
  d.app_ends(0);
  d.expect<CloseWatch>();
  d.expect_exit(0);
  EXPECT_EQ(d.lines(), Lines{"uploaded 1 file (11 B) to gs://bucket/folder"});
}

TEST(SessionStart, TheFirstLookFindsWhatNoEventTold) {
  Driver d;
  d.pump();
  d.appears({kMeta, 10, 1});
  d.expect_nothing();
  d.wait(seconds(1));
  d.expect_upload(kMeta);
  EXPECT_EQ(d.listings, 2);
}

TEST(SessionStart, AFirstLookThatIsDueDuringAListingDelaysNothing) {
  Driver d(with([](auto& o) { o.jitter = seconds(1); }));
  d.answers_listings = false;
  d.expect<ListFolder>();
  d.writes(kMeta);
  d.wait(seconds(1));
  d.expect_upload(kMeta);
}

TEST(SessionStart, LostEventsAreRepairedByAListing) {
  Driver d;
  d.wait(minutes(1));
  d.appears({kMeta, 10, 1});
  d.tell(EventsLost{});
  d.expect_upload(kMeta);
}

TEST(SessionStart, EventsLostDuringAListingNeedAnother) {
  Driver d;
  d.answers_listings = false;
  d.expect<ListFolder>();
  d.tell(EventsLost{});
  d.expect_nothing();
  d.answer_listing();
  d.expect<ListFolder>();
  d.answer_listing();
  d.expect_nothing();
}

// ---- Signals ----

TEST(SessionSignals, AreForwardedAsReceived) {
  Driver d;
  for (const int number : {SIGHUP, SIGUSR1, SIGINT, SIGTERM, SIGTERM, SIGQUIT, SIGCONT}) {
    d.signal(number);
    d.expect_forwarded(number);
  }
  d.expect_nothing();
}

TEST(SessionSignals, ArePassedOnAtOnceIfNothingIsToBeDoneBefore) {
  Driver d(with([](auto& o) { o.stop_signal = SIGINT; }));
  d.pump();
  EXPECT_EQ(d.passes_on({SIGHUP}), SIGHUP);
  EXPECT_EQ(d.passes_on({SIGTERM}), SIGINT);
  EXPECT_EQ(d.passes_on({SIGUSR1}), SIGUSR1);
  EXPECT_EQ(d.passes_on({SIGUSR1, 0, true}), std::nullopt) << "it isn't for the child";

  d.tell_unpumped(SignalArrived{SIGHUP});
  EXPECT_EQ(d.passes_on({SIGTERM}), std::nullopt) << "it would overtake another one";
  d.expect_forwarded(SIGHUP);

  d.writes(kMeta);
  d.expect_upload(kMeta);
  EXPECT_EQ(d.passes_on({SIGUSR1}), std::nullopt) << "who runs is to be known first";
  EXPECT_EQ(d.passes_on({SIGUSR2}), SIGUSR2);

  d.app_ends(0);
  EXPECT_EQ(d.passes_on({SIGTERM}), std::nullopt);
}

TEST(SessionSignals, TheStopSignalReplacesOnlySigterm) {
  Driver d(with([](auto& o) { o.stop_signal = SIGINT; }));
  d.signal(SIGTERM);
  d.expect_forwarded(SIGINT);
  d.signal(SIGHUP);
  d.expect_forwarded(SIGHUP);

  Driver quit(with([](auto& o) { o.stop_signal = SIGQUIT; }));
  quit.signal(SIGINT);
  quit.expect_forwarded(SIGINT);
}

TEST(SessionSignals, NoneIsForwardedOnceTheChildWasReaped) {
  Driver d;
  d.writes(kMeta);
  d.expect_upload(kMeta);
  d.app_ends(0);
  d.expect<CloseWatch>();
  d.signal(SIGHUP);
  d.signal(SIGTERM);
  d.expect_nothing();
}

TEST(SessionSignals, OneThatWaitedToBeForwardedWhenTheChildWasReapedIsDropped) {
  Driver d;
  d.pump();
  d.tell_unpumped(SignalArrived{SIGTERM});
  d.tell_unpumped(ChildExited{ExitStatus::exited(0)});
  d.descendants_go();
  d.expect<CloseWatch>();
  d.expect_exit(0);
}

TEST(SessionSignals, TheThirdStopAfterTheExitEndsAtOnce) {
  Driver d;
  d.writes(kMeta);
  const auto id = d.expect_upload(kMeta);
  d.app_ends(4);
  d.expect<CloseWatch>();
  d.signal(SIGTERM);
  d.signal(SIGINT);
  d.expect_nothing();
  d.signal(SIGTERM);
  EXPECT_EQ(d.expect<AbortUpload>().id, id);
  d.expect_exit(4);
  EXPECT_EQ(d.lines().back(),
            "1 of 1 file was not uploaded to gs://bucket/folder (told to end at once by a "
            "signal); it stays in /cov: " +
                kMeta);
}

TEST(SessionSignals, StopsBeforeTheExitDoNotCountTowardsTheThird) {
  Driver d;
  d.writes(kMeta);
  d.expect_upload(kMeta);
  for (int i = 0; i < 5; ++i) {
    d.signal(SIGTERM);
    d.expect_forwarded(SIGTERM);
  }
  d.app_ends(0);
  d.expect<CloseWatch>();
  d.signal(SIGTERM);
  d.signal(SIGTERM);
  d.expect_nothing();
}

TEST(SessionSignals, SigquitAfterTheExitEndsAtOnce) {
  Driver d;
  d.writes(kMeta);
  d.expect_upload(kMeta);
  d.app_ends(0);
  d.expect<CloseWatch>();
  d.signal(SIGQUIT);
  d.expect<AbortUpload>();
  d.expect_exit(0);
}

}  // namespace
}  // namespace integcov::supervise
