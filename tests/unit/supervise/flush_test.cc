#include "supervise/flush.h"

#include <gtest/gtest.h>

#include <csignal>
#include <string>
#include <utility>
#include <vector>

namespace integcov::supervise {
namespace {

using config::FlushMode;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using Lines = std::vector<std::string>;
using Process = ProcessesFound::Process;
using Result = SnapshotRead::Result;

constexpr MonoTime kStart{std::chrono::hours(1)};
constexpr std::uint32_t kMain = 7;
constexpr std::uint32_t kChild = 8;

const Process kPlain{.pid = kMain, .main = true, .image = "a"};
const Process kReady{.pid = kMain, .main = true, .image = "a", .handler_signal = SIGUSR1};

class FlushTest : public ::testing::Test {
 protected:
  explicit FlushTest(FlushMode mode = FlushMode::automatic) { make(mode, Duration::zero()); }

  void make(FlushMode mode, Duration interval, std::uint64_t seed = 1) {
    options_.mode = mode;
    options_.interval = interval;
    flush_.emplace(options_, seed);
    flush_->coverage_seen(kStart);
  }

  template <class R>
  R expect() {
    const auto request = flush_->next(now_);
    if (request && std::holds_alternative<R>(*request)) return std::get<R>(*request);
    ADD_FAILURE() << (request ? "another request: " + std::to_string(request->index())
                              : std::string("no request"));
    return {};
  }
  void expect_nothing() { EXPECT_FALSE(flush_->next(now_)); }
  void expect_signal(std::uint32_t pid) { EXPECT_EQ(expect<SignalSnapshot>().pid, pid); }
  void expect_read(std::uint32_t pid) { EXPECT_EQ(expect<ReadSnapshot>().pid, pid); }

  // A round begins and finds these.
  void round(std::vector<Process> processes) {
    expect<FindProcesses>();
    expect_nothing();
    flush_->on(ProcessesFound{.processes = std::move(processes)}, now_);
  }
  void ask() { flush_->requested(now_, std::nullopt); }
  void forwarded(std::int64_t at_ns) { flush_->requested(now_, at_ns); }
  void sent(std::uint32_t pid, std::int64_t at_ns) {
    flush_->on(SnapshotSignalled{pid, true, at_ns}, now_);
  }
  void not_sent(std::uint32_t pid, bool uncaught = false) {
    flush_->on(SnapshotSignalled{pid, false, 0, uncaught}, now_);
  }
  void wrote(std::uint32_t pid, std::uint64_t ns) { flush_->counters_written(pid, ns, now_); }
  void was_read(std::uint32_t pid, Result result, std::string why = "") {
    flush_->on(SnapshotRead{pid, result, std::move(why)}, now_);
  }
  // A whole round by memory.
  void read_round() {
    round({kPlain});
    expect_read(kMain);
    was_read(kMain, Result::unchanged);
    expect_nothing();
  }
  void expect_idle() {
    expect_nothing();
    EXPECT_EQ(flush_->deadline(), std::nullopt);
  }
  Duration until_next() {
    EXPECT_TRUE(flush_->deadline());
    return flush_->deadline().value_or(now_) - now_;
  }
  void wait_for_next() { now_ += until_next(); }
  Lines warnings() { return flush_->take_warnings(); }

  config::FlushOptions options_;
  std::optional<Flush> flush_;
  MonoTime now_ = kStart;
};

// ---- When ----

TEST_F(FlushTest, NothingIsDueBeforeCoverageIsSeen) {
  flush_.emplace(options_, 1);
  flush_->stop_requested(now_, now_ + seconds(10));
  now_ += minutes(5);
  expect_idle();
}

TEST_F(FlushTest, WhatIsAskedForBeforeThatIsTakenOnceTheProgramHasSettled) {
  flush_.emplace(options_, 1);
  ask();
  ask();
  expect_idle();
  flush_->coverage_seen(now_);
  expect_nothing();
  EXPECT_EQ(until_next(), Flush::kSettle);
  wait_for_next();
  read_round();
  expect_idle();
}

TEST_F(FlushTest, AnIntervalOfZeroMeansOnDemandOnly) {
  now_ += minutes(60);
  expect_idle();
  ask();
  read_round();
  expect_idle();
}

TEST_F(FlushTest, TheFirstRoundIsSomewhereInTheSecondHalfOfTheInterval) {
  std::set<Duration> firsts;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    make(FlushMode::memory, seconds(30), seed);
    EXPECT_GE(until_next(), seconds(15));
    EXPECT_LE(until_next(), seconds(30));
    firsts.insert(until_next());
  }
  EXPECT_GT(firsts.size(), 40U) << "a fleet that starts at once must not flush at once";
}

TEST_F(FlushTest, FurtherRoundsAreATenthAroundTheInterval) {
  make(FlushMode::memory, seconds(30));
  std::set<Duration> waits;
  for (int rounds = 0; rounds < 50; ++rounds) {
    wait_for_next();
    read_round();
    EXPECT_GE(until_next(), seconds(27));
    EXPECT_LE(until_next(), seconds(33));
    waits.insert(until_next());
  }
  EXPECT_GT(waits.size(), 40U);
}

TEST_F(FlushTest, JustBeforeItsTimeARoundIsNotDue) {
  make(FlushMode::memory, seconds(30));
  now_ += until_next() - Duration(1);
  expect_nothing();
  now_ += Duration(1);
  read_round();
}

TEST_F(FlushTest, CoverageSeenAgainChangesNothing) {
  make(FlushMode::memory, seconds(30));
  const auto due = flush_->deadline();
  now_ += seconds(5);
  flush_->coverage_seen(now_);
  EXPECT_EQ(flush_->deadline(), due);
}

TEST_F(FlushTest, ARoundOnDemandPutsOffTheIntervalsNext) {
  make(FlushMode::memory, seconds(30));
  now_ += seconds(14);
  ask();
  read_round();
  EXPECT_GE(until_next(), seconds(27));
}

TEST_F(FlushTest, HowManyAskDuringARoundMakesOneMore) {
  ask();
  round({kPlain});
  for (int times = 0; times < 3; ++times) ask();
  expect_read(kMain);
  expect_nothing();
  was_read(kMain, Result::written);
  read_round();
  expect_idle();
}

TEST_F(FlushTest, WhatFallsDueDuringARoundComesAfterIt) {
  make(FlushMode::automatic, seconds(3));
  wait_for_next();
  round({kReady});
  expect_signal(kMain);
  sent(kMain, 100);
  EXPECT_EQ(until_next(), seconds(5)) << "the handler's time, longer than the interval";
  now_ += seconds(4);
  expect_nothing();
  wrote(kMain, 101);
  expect<FindProcesses>();
}

TEST_F(FlushTest, AfterAStopSignalOneASecondLaterAndOneBeforeTheGraceEnds) {
  flush_->stop_requested(now_, now_ + seconds(10));
  EXPECT_EQ(until_next(), seconds(1));
  wait_for_next();
  read_round();
  EXPECT_EQ(until_next(), milliseconds(7500));
  wait_for_next();
  read_round();
  expect_idle();
}

TEST_F(FlushTest, BeforeTheKillAHandlerThatIsSilentIsNotWaitedForLong) {
  flush_->stop_requested(now_, now_ + seconds(10));
  wait_for_next();
  round({kReady});
  expect_signal(kMain);
  sent(kMain, 100);
  expect_nothing();
  EXPECT_EQ(until_next(), Flush::kHurriedWait);
  wait_for_next();
  expect_read(kMain);
  was_read(kMain, Result::written);
  expect_nothing();
  EXPECT_EQ(until_next(), milliseconds(7000)) << "the one before the grace ends";
}

TEST_F(FlushTest, BeforeTheKillARoundThatWaitsIsCutShort) {
  ask();
  round({kReady});
  expect_signal(kMain);
  sent(kMain, 100);
  expect_nothing();
  EXPECT_EQ(until_next(), seconds(5));
  flush_->stop_requested(now_, now_ + seconds(10));
  EXPECT_EQ(until_next(), seconds(1));
  wait_for_next();
  expect_nothing();
  EXPECT_EQ(until_next(), Flush::kHurriedWait);
  wait_for_next();
  expect_read(kMain);
}

TEST_F(FlushTest, AShortGraceLeavesHalfOfItForTheUpload) {
  flush_->stop_requested(now_, now_ + seconds(2));
  EXPECT_EQ(until_next(), seconds(1));
  wait_for_next();
  read_round();
  expect_idle();  // both are the same moment
}

TEST_F(FlushTest, AVeryShortGraceIsNotMissed) {
  flush_->stop_requested(now_, now_ + milliseconds(500));
  EXPECT_EQ(until_next(), milliseconds(250));
}

TEST_F(FlushTest, MoreStopSignalsBuyNoMoreRoundsUntilTheGraceIsOver) {
  flush_->stop_requested(now_, now_ + seconds(10));
  wait_for_next();
  read_round();
  flush_->stop_requested(now_, now_ + seconds(9));
  EXPECT_EQ(until_next(), milliseconds(7500));
  wait_for_next();
  read_round();
  now_ += minutes(5);  // the app went on
  flush_->stop_requested(now_, now_ + seconds(10));
  EXPECT_EQ(until_next(), seconds(1));
}

TEST_F(FlushTest, AfterTheAppsEndNothingIsTakenAndNothingAwaited) {
  make(FlushMode::automatic, seconds(30));
  flush_->stop_requested(now_, now_ + seconds(10));
  ask();
  round({kReady, {.pid = kChild, .image = "b"}});
  expect_signal(kMain);
  sent(kMain, 100);
  ask();
  flush_->end();
  expect_idle();
  was_read(kChild, Result::written);
  wrote(kMain, 101);
  ask();
  now_ += minutes(5);
  expect_idle();
  EXPECT_EQ(warnings(), Lines{});
}

// ---- How ----

TEST_F(FlushTest, AReadyHandlerIsSignalledAndDoneOnceItsFileIsThere) {
  options_.signal = SIGUSR2;
  make(FlushMode::automatic, Duration::zero());
  EXPECT_EQ(flush_->method(), "none");
  ask();
  round({kReady});
  const auto request = expect<SignalSnapshot>();
  EXPECT_EQ(request.pid, kMain);
  EXPECT_EQ(request.signal, SIGUSR1) << "what the handler says that it listens to";
  expect_nothing();
  sent(kMain, 100);
  EXPECT_EQ(until_next(), options_.wait);
  wrote(kMain, 99);
  EXPECT_EQ(until_next(), options_.wait) << "that one is older than the request";
  wrote(kChild, 100);
  EXPECT_EQ(until_next(), options_.wait) << "that one is another process's";
  wrote(kMain, 100);
  expect_idle();
  EXPECT_EQ(flush_->method(), "signal");
  EXPECT_EQ(warnings(), Lines{});
}

TEST_F(FlushTest, AFileThatWasQuickerThanTheAnswerCounts) {
  ask();
  round({kReady});
  expect_signal(kMain);
  wrote(kMain, 101);
  sent(kMain, 100);
  expect_idle();
  now_ += seconds(10);
  expect_idle();
  EXPECT_EQ(warnings(), Lines{});
}

TEST_F(FlushTest, WithoutAHandlerItsMemoryIsRead) {
  ask();
  round({kPlain});
  expect_read(kMain);
  was_read(kMain, Result::written);
  expect_idle();
  EXPECT_EQ(flush_->method(), "memory");
}

TEST_F(FlushTest, EachProcessInItsOwnWay) {
  ask();
  round(
      {kPlain, {.pid = kChild, .image = "b", .handler_signal = SIGUSR1}, {.pid = 9, .image = "c"}});
  expect_read(kMain);
  expect_signal(kChild);
  expect_read(9);
  was_read(kMain, Result::written);
  was_read(9, Result::nothing);
  sent(kChild, 100);
  EXPECT_EQ(until_next(), options_.wait);
  wrote(kChild, 200);
  expect_idle();
  EXPECT_EQ(flush_->method(), "memory") << "the program's own";
}

TEST_F(FlushTest, AHandlerThatIsSilentForTheWaitIsToldOfOnceAndMemoryHelps) {
  for (int rounds = 0; rounds < 2; ++rounds) {
    ask();
    round({kReady});
    expect_signal(kMain);
    sent(kMain, 100);
    now_ += options_.wait - Duration(1);
    expect_nothing();
    now_ += Duration(1);
    expect_read(kMain);
    was_read(kMain, Result::written);
    expect_idle();
    if (rounds == 0) {
      EXPECT_EQ(
          warnings(),
          Lines{"the program got SIGUSR1 and wrote no snapshot in time (INTEGCOV_FLUSH_WAIT): "
                "it needs a handler and -covermode=atomic; INTEGCOV_FLUSH=memory needs "
                "neither"});
    } else {
      EXPECT_EQ(warnings(), Lines{});
    }
  }
}

TEST_F(FlushTest, WhoExecutesAnotherProgramOrEndsIsNotAwaitedAnyMore) {
  const Process other{.pid = kMain, .main = true, .image = "b", .handler_signal = SIGUSR1};
  for (const std::vector<Process>& found : {std::vector{other}, std::vector<Process>{}}) {
    make(FlushMode::automatic, Duration::zero());
    ask();
    round({kReady});
    expect_signal(kMain);
    sent(kMain, 100);
    expect_nothing();
    flush_->image_started();
    flush_->image_started();
    round({kReady});  // another process has started it
    expect_nothing();
    EXPECT_TRUE(flush_->deadline()) << "it is awaited";
    flush_->image_started();
    round(found);
    expect_idle();
    EXPECT_EQ(warnings(), Lines{});
  }
  flush_->image_started();
  expect_idle();
}

TEST_F(FlushTest, AChildsSilenceIsNoLine) {
  ask();
  round({{.pid = kChild, .image = "b", .handler_signal = SIGUSR1}});
  expect_signal(kChild);
  sent(kChild, 100);
  now_ += options_.wait;
  expect_read(kChild);
  was_read(kChild, Result::failed, "it can't be read");
  expect_idle();
  EXPECT_EQ(warnings(), Lines{});
  EXPECT_EQ(flush_->method(), "none");
}

TEST_F(FlushTest, ASignalThatCouldNotBeSentIsNoneAndMemoryHelps) {
  ask();
  round({kReady});
  expect_signal(kMain);
  not_sent(kMain);
  expect_read(kMain);
  was_read(kMain, Result::not_yet);
  expect_idle();
  EXPECT_EQ(flush_->method(), "none");
  EXPECT_EQ(warnings(), Lines{});
}

TEST_F(FlushTest, MemoryThatCannotBeReadIsToldOfOnceWithTheReason) {
  for (const Lines& expected :
       {Lines{"no snapshots are taken of the running program, its counters come at its end only: "
              "ptrace is forbidden"},
        Lines{}}) {
    ask();
    round({kPlain});
    expect_read(kMain);
    was_read(kMain, Result::failed, "ptrace is forbidden");
    expect_idle();
    EXPECT_EQ(warnings(), expected);
  }
  EXPECT_EQ(flush_->method(), "none");
}

TEST_F(FlushTest, WhatIsNoGoProgramOrNotYetOneIsNoLine) {
  for (const Result result : {Result::nothing, Result::not_yet, Result::unchanged}) {
    ask();
    round({kPlain});
    expect_read(kMain);
    was_read(kMain, result);
    expect_idle();
    EXPECT_EQ(flush_->method(), result == Result::unchanged ? "memory" : "none");
  }
  EXPECT_EQ(warnings(), Lines{});
}

TEST_F(FlushTest, ARoundThatFindsNoneIsOver) {
  ask();
  round({});
  expect_idle();
}

TEST_F(FlushTest, AnswersThatNobodyAskedForAreNothing) {
  flush_->on(ProcessesFound{.processes = {kPlain}}, now_);
  sent(kMain, 100);
  was_read(kMain, Result::written);
  not_sent(kMain);
  wrote(kMain, 100);
  expect_idle();
  EXPECT_EQ(flush_->method(), "none");
}

// ---- The user's signal is the request ----

TEST_F(FlushTest, AForwardedSignalIsTheRequestAndNoSecondOneIsSent) {
  forwarded(100);
  round({kReady});
  expect_nothing();
  EXPECT_EQ(until_next(), options_.wait);
  wrote(kMain, 120);
  expect_idle();
  EXPECT_EQ(flush_->method(), "signal");
}

TEST_F(FlushTest, ItsFileMayComeBeforeTheProcessesAreFound) {
  forwarded(100);
  expect<FindProcesses>();
  wrote(kMain, 120);
  flush_->on(ProcessesFound{.processes = {kReady}}, now_);
  expect_idle();
  EXPECT_EQ(flush_->method(), "signal");
}

TEST_F(FlushTest, OnlyTheProgramItselfGotIt) {
  forwarded(100);
  round({kReady, {.pid = kChild, .image = "b", .handler_signal = SIGUSR1}});
  expect_signal(kChild);
  sent(kChild, 130);
  wrote(kMain, 120);
  wrote(kChild, 140);
  expect_idle();
}

TEST_F(FlushTest, AProgramWithoutAHandlerIsReadAlthoughItGotTheSignal) {
  forwarded(100);
  round({kPlain});
  expect_read(kMain);
  was_read(kMain, Result::written);
  expect_idle();
  EXPECT_EQ(flush_->method(), "memory");
}

TEST_F(FlushTest, AForwardedSignalThatTheHandlerDoesNotListenToIsNoRequestToIt) {
  Process ready = kReady;
  ready.handler_signal = SIGUSR2;
  forwarded(100);
  round({ready});
  EXPECT_EQ(expect<SignalSnapshot>().signal, SIGUSR2);
}

TEST_F(FlushTest, ForwardedDuringARoundItIsTheRequestOfTheNext) {
  ask();
  round({kReady});
  expect_signal(kMain);
  sent(kMain, 100);
  forwarded(200);
  wrote(kMain, 110);
  round({kReady});
  expect_nothing();
  wrote(kMain, 150);
  EXPECT_EQ(until_next(), options_.wait);
  wrote(kMain, 210);
  expect_idle();
}

TEST_F(FlushTest, OneFileThatAnswersTheSignalsOfBothRoundsIsEnough) {
  ask();
  round({kReady});
  expect_signal(kMain);
  sent(kMain, 100);
  forwarded(105);  // before the handler took the first one
  wrote(kMain, 110);
  round({kReady});
  expect_idle();
  EXPECT_EQ(warnings(), Lines{}) << "it was not silent";
}

TEST_F(FlushTest, TheNextRoundAfterAForwardedOneSignalsAgain) {
  forwarded(100);
  round({kReady});
  wrote(kMain, 120);
  expect_idle();
  ask();
  round({kReady});
  expect_signal(kMain);
  sent(kMain, 300);
  EXPECT_EQ(until_next(), options_.wait) << "what came before is no answer";
}

TEST_F(FlushTest, SoDoesTheIntervals) {
  make(FlushMode::automatic, seconds(30));
  forwarded(100);
  round({kReady});
  wrote(kMain, 120);
  expect_nothing();
  wait_for_next();
  round({kReady});
  expect_signal(kMain);
}

// ---- The other modes ----

TEST_F(FlushTest, TheUsersWordMakesUpForAHandlersFile) {
  make(FlushMode::signal, Duration::zero());
  ask();
  round({kPlain});
  expect_signal(kMain);
  sent(kMain, 100);
  wrote(kMain, 101);
  expect_idle();
  EXPECT_EQ(flush_->method(), "signal");
}

TEST_F(FlushTest, TheUsersWordIsAboutTheProgramNotItsChildren) {
  make(FlushMode::signal, Duration::zero());
  ask();
  round(
      {kPlain, {.pid = kChild, .image = "b"}, {.pid = 9, .image = "c", .handler_signal = SIGUSR1}});
  expect_signal(kMain);
  expect_signal(9);
  expect_nothing();
}

TEST_F(FlushTest, InSignalModeAProgramThatTheSignalWouldEndIsToldOfOnce) {
  make(FlushMode::signal, Duration::zero());
  bool told = false;
  const Lines line{
      "no snapshot was taken: the program does not catch SIGUSR1, which would end it; "
      "see INTEGCOV_FLUSH in go-integcov --help"};
  for (const bool uncaught : {false, true, true}) {
    ask();
    round({kPlain});
    expect_signal(kMain);
    not_sent(kMain, uncaught);
    expect_idle();
    const bool first = uncaught && !std::exchange(told, true);
    EXPECT_EQ(warnings(), first ? line : Lines{}) << "one that is just ending is no reason";
  }
  EXPECT_EQ(flush_->method(), "none");
}

TEST_F(FlushTest, InSignalModeSilenceIsToldOfAndMemoryStaysUnread) {
  make(FlushMode::signal, Duration::zero());
  ask();
  round({kPlain});
  expect_signal(kMain);
  sent(kMain, 100);
  now_ += options_.wait;
  expect_idle();
  EXPECT_EQ(warnings().size(), 1U);
}

TEST_F(FlushTest, InSignalModeWhatTheHandlerSaysIsPassedOn) {
  make(FlushMode::signal, Duration::zero());
  ask();
  round({{.pid = kMain, .main = true, .image = "a", .handler_error = "rebuild with atomic"}});
  expect_signal(kMain);
  EXPECT_EQ(warnings(), Lines{"the program's snapshot handler says: rebuild with atomic"});
}

TEST_F(FlushTest, InAutoModeMemoryMakesUpForAHandlerThatCannot) {
  ask();
  round({{.pid = kMain, .main = true, .image = "a", .handler_error = "rebuild with atomic"}});
  expect_read(kMain);
  EXPECT_EQ(warnings(), Lines{});
}

TEST_F(FlushTest, InMemoryModeNobodyIsSignalled) {
  make(FlushMode::memory, Duration::zero());
  ask();
  round({kReady, {.pid = kChild, .image = "b", .handler_signal = SIGUSR1}});
  expect_read(kMain);
  expect_read(kChild);
  was_read(kMain, Result::written);
  was_read(kChild, Result::written);
  expect_idle();
  EXPECT_EQ(flush_->method(), "memory");
}

TEST_F(FlushTest, OffMeansNever) {
  make(FlushMode::off, seconds(30));
  ask();
  forwarded(100);
  flush_->stop_requested(now_, now_ + seconds(10));
  now_ += minutes(5);
  expect_idle();
  EXPECT_EQ(flush_->method(), "off");
}

// ---- Fewer ----

TEST_F(FlushTest, WhereSnapshotsAddUpTheIntervalDoublesUpToTenMinutes) {
  make(FlushMode::memory, seconds(30));
  for (const int expected : {60, 120, 240, 480, 600, 600}) {
    wait_for_next();
    flush_->lengthen();
    flush_->lengthen();  // of several processes
    read_round();
    EXPECT_EQ(flush_->interval(), seconds(expected));
  }
  wait_for_next();
  read_round();
  EXPECT_EQ(flush_->interval(), minutes(10));
  EXPECT_GE(until_next(), minutes(9));
}

TEST_F(FlushTest, AnIntervalThatIsLongerStaysAndNoneIsMade) {
  make(FlushMode::memory, minutes(30));
  flush_->lengthen();
  ask();
  read_round();
  EXPECT_EQ(flush_->interval(), minutes(30));

  make(FlushMode::memory, Duration::zero());
  flush_->lengthen();
  ask();
  read_round();
  expect_idle();
}

}  // namespace
}  // namespace integcov::supervise
