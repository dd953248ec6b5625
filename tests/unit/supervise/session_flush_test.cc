// Snapshots of a running program, from the request to the bucket, and the run's record.
#include <gtest/gtest.h>

#include <csignal>

#include "supervise/session.h"
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
using Names = std::vector<std::string>;
using Process = ProcessesFound::Process;

const Process kPlain{.pid = 7, .main = true, .image = "a"};
const Process kReady{.pid = 7, .main = true, .image = "a", .handler_signal = SIGUSR1};

// Process 7's counters; kCounters is its first at 100.
std::string counters(int time_ns) {
  return "covcounters." + kHash + ".7." + std::to_string(time_ns);
}

SessionOptions flushing(Duration interval = Duration::zero()) {
  return with([&](auto& o) {
    o.flush.mode = config::FlushMode::automatic;
    o.flush.interval = interval;
  });
}

void expect_paths(const Driver& d, Names expected) {
  Names paths;
  for (const FileEntry& file : d.folder()) paths.push_back(file.path);
  std::ranges::sort(paths);
  std::ranges::sort(expected);
  EXPECT_EQ(paths, expected);
}

// Its covmeta and its first counters are in storage.
void begin(Driver& d) {
  d.writes(kMeta);
  d.expect_stored(kMeta);
  d.writes(kCounters);
  d.expect_stored(kCounters);
}

// The next snapshot appears.
void snapshot(Driver& d, int time_ns) { d.writes_version({counters(time_ns), 10, time_ns}); }

StartUpload expect_version(Driver& d, int mtime_ns) {
  auto upload = d.expect<StartUpload>();
  EXPECT_EQ(upload.file.path, kCounters);
  EXPECT_EQ(upload.file.mtime_ns, mtime_ns);
  return upload;
}

// ---- Requests ----

TEST(SessionFlush, TheForwardedSignalIsTheRequest) {
  Driver d(flushing());
  d.writes(kMeta);
  d.expect_stored(kMeta);
  d.signal(SignalArrived{SIGUSR1, 150});
  d.expect<FindProcesses>();  // before it may write a snapshot
  d.expect_forwarded(SIGUSR1);
  d.tell(ProcessesFound{.processes = {kReady}, .end_ns = 160});
  d.expect_nothing();
  EXPECT_EQ(d.next_look(), seconds(1)) << "the first look; then the handler's time ends";
  snapshot(d, 170);
  d.expect_stored(counters(170));
  d.wait(minutes(1));
  d.expect_nothing();
  EXPECT_EQ(d.lines(), Lines{});
}

TEST(SessionFlush, FlushNowIsNotForwarded) {
  Driver d(flushing());
  d.writes(kMeta);
  d.expect_stored(kMeta);
  d.signal(SignalArrived{SIGUSR1, 150, true});
  d.expect<FindProcesses>();
  d.tell(ProcessesFound{.processes = {kReady}, .end_ns = 160});
  EXPECT_EQ(d.expect<SignalSnapshot>().pid, 7U);
  d.tell(SnapshotSignalled{7, true, 170});
  snapshot(d, 180);
  d.expect_stored(counters(180));
  d.wait(minutes(1));
  d.expect_nothing();
}

TEST(SessionFlush, AnotherSignalIsForwardedAndNothingElse) {
  Driver d(with([](auto& o) {
    o.flush.mode = config::FlushMode::automatic;
    o.flush.signal = SIGUSR2;
  }));
  d.writes(kMeta);
  d.expect_stored(kMeta);
  d.signal(SIGUSR1);
  d.expect_forwarded(SIGUSR1);
  d.expect_nothing();
  d.signal(SIGUSR2);
  d.expect<FindProcesses>();
  d.expect_forwarded(SIGUSR2);
}

TEST(SessionFlush, OffTheSignalIsOneLikeAnyOther) {
  Driver d;
  begin(d);
  d.signal(SIGUSR1);
  d.expect_forwarded(SIGUSR1);
  d.signal(SignalArrived{SIGUSR1, 150, true});
  d.expect_nothing();
}

TEST(SessionFlush, TheIntervalBeginsOnceThisRunsCoverageIsSeen) {
  SessionOptions options = flushing(seconds(30));
  options.run_start_ns = 50;
  Driver d(options, {{kMeta, 10, 1}});  // an earlier run's
  d.expect_stored(kMeta);
  d.wait(minutes(5));
  d.expect_nothing();
  EXPECT_EQ(d.start_records, 0);
  d.writes_version({kMeta, 10, 60});
  d.expect_nothing();
  d.wait(seconds(30));
  d.expect<FindProcesses>();
  EXPECT_EQ(d.start_records, 1);
}

TEST(SessionFlush, MemoryIsReadAndWhatCannotBeReadIsALine) {
  Driver d(flushing());
  begin(d);
  d.signal(SignalArrived{SIGUSR1, 150, true});
  d.expect<FindProcesses>();
  d.tell(ProcessesFound{.processes = {kPlain}, .end_ns = 160});
  EXPECT_EQ(d.expect<ReadSnapshot>().pid, 7U);
  d.tell(SnapshotRead{7, SnapshotRead::Result::failed, "no rights"});
  d.expect_nothing();
  EXPECT_EQ(d.lines(), Lines{"no snapshots are taken of the running program, its counters come at "
                             "its end only: no rights"});
}

TEST(SessionFlush, AnAppThatIsToldToStopIsFlushedAfterASecondAndBeforeItsEnd) {
  Driver d(flushing());
  begin(d);
  d.signal(SIGTERM);
  d.expect_forwarded(SIGTERM);
  for (const Duration at : {Duration(seconds(1)), Duration(seconds(8))}) {
    d.wait(at - d.elapsed() - Duration(1));
    d.expect_nothing();
    d.wait(Duration(1));
    d.expect<FindProcesses>();
    d.tell(ProcessesFound{.processes = {kPlain}, .end_ns = 160});
    d.expect<ReadSnapshot>();
    d.tell(SnapshotRead{7, SnapshotRead::Result::unchanged, ""});
  }
  d.wait(minutes(5));
  d.expect_nothing();
}

TEST(SessionFlush, OnceTheAppIsGoneNothingIsTaken) {
  Driver d(flushing(seconds(30)));
  begin(d);
  d.signal(SIGTERM);
  d.expect_forwarded(SIGTERM);
  d.wait(seconds(1));
  d.expect<FindProcesses>();
  d.child_exits(0);
  d.tell(ProcessesFound{.processes = {kPlain}, .end_ns = 160});
  d.wait(seconds(1));
  d.expect<CloseWatch>();
  d.expect_exit(0);
}

// ---- One object per process ----

TEST(SessionFlush, TheNewestSnapshotReplacesTheObjectOfTheFirst) {
  Driver d(flushing());
  begin(d);
  d.fold = Fold::replaced;
  for (const int time : {200, 300}) {
    snapshot(d, time);
    const StartUpload upload = expect_version(d, time);
    EXPECT_EQ(upload.object, "");
    EXPECT_TRUE(upload.replaces);
    d.store(upload.id);
    d.expect_recorded(kCounters);
    expect_paths(d, {kMeta, kCounters});
    d.tell(FileFinished{{kCounters, 10, time}});  // the event of our own rename
    d.expect_nothing();
  }
}

TEST(SessionFlush, ASnapshotWithoutAMovedCounterIsNoUpload) {
  Driver d(flushing());
  begin(d);
  d.fold = Fold::unchanged;
  snapshot(d, 200);
  d.expect_nothing();
  expect_paths(d, {kMeta, kCounters});
}

TEST(SessionFlush, WhatIsNotOneImagesGoesUpUnderItsOwnName) {
  for (const Fold fold : {Fold::kept, Fold::unreadable}) {
    Driver d(flushing());
    begin(d);
    d.fold = fold;
    snapshot(d, 200);
    const auto upload = d.expect<StartUpload>();
    EXPECT_EQ(upload.file.path, counters(200));
    EXPECT_FALSE(upload.replaces);
    expect_paths(d, {kMeta, kCounters, counters(200)});
  }
}

TEST(SessionFlush, ANameThatWasFoldedAwayMayBeWrittenAnew) {
  Driver d(flushing());
  begin(d);
  d.fold = Fold::replaced;
  snapshot(d, 200);
  d.store(expect_version(d, 200).id);
  d.expect_recorded(kCounters);
  snapshot(d, 200);  // equal in name, size and time
  expect_version(d, 200);
}

TEST(SessionFlush, OneObjectGetsOneVersionASecondAlwaysTheNewest) {
  SessionOptions options = flushing();
  options.between_versions = seconds(1);
  Driver d(options);
  d.wait(seconds(2));
  begin(d);
  d.fold = Fold::replaced;
  for (const int time : {200, 300, 400}) snapshot(d, time);
  d.expect_nothing();
  d.wait(milliseconds(999));
  d.expect_nothing();
  d.wait(milliseconds(1));
  d.store(expect_version(d, 400).id);
  d.expect_recorded(kCounters);
  d.wait(minutes(1));
  d.expect_nothing();
}

TEST(SessionFlush, WithoutStorageTheFolderHoldsOneFilePerProcessToo) {
  SessionOptions options = flushing();
  options.storage = "";
  Driver d(options);
  d.writes(kMeta);
  d.writes(kCounters);
  d.fold = Fold::replaced;
  snapshot(d, 200);
  snapshot(d, 300);
  d.expect_nothing();
  expect_paths(d, {kMeta, kCounters});
  EXPECT_EQ(d.start_records, 1);
}

TEST(SessionFlush, CountersOfASubfolderOrOfAnEarlierRunAreNotFolded) {
  SessionOptions options = flushing();
  options.run_start_ns = 150;
  Driver d(options, {{kCounters, 10, 1}});
  d.expect_stored(kCounters);
  d.fold = Fold::replaced;
  snapshot(d, 200);
  d.expect_stored(counters(200));
  for (const char* name : {"sub/", "sub/dir/"}) {
    d.writes_version({name + counters(300), 10, 300});
    d.expect_stored(name + counters(300));
  }
}

TEST(SessionFlush, ACounterThatWrappedIsSaidOnce) {
  Driver d(flushing());
  begin(d);
  for (int times = 0; times < 2; ++times) {
    d.tell(SnapshotFolded{
        .standing = kCounters, .appeared = counters(200), .fold = Fold::replaced, .wrapped = true});
  }
  EXPECT_EQ(d.lines(),
            Lines{"a counter in " + kCounters +
                  " passed 4294967295 and began again at 0, as Go's 32-bit counters do"});
}

// A file of a process that is gone: no event told of a start, and by itself that is proof only if
// events come here.
TEST(SessionFlush, WhatOnlyAListingShowsProvesThatStartsMayHaveBeenMissed) {
  for (const bool told : {true, false}) {
    Driver d(flushing());
    d.tell(StartsWatched{100, 1});
    d.writes(kMeta);
    d.expect_stored(kMeta);
    d.sight = [](const std::string&) {
      return Sighting{.meta = {1, 1}, .at_ns = 150, .image = "a", .exact = true, .since_ns = 1};
    };
    d.writes(kCounters);
    d.sight = [](const std::string&) { return Sighting{.meta = {2, 300}, .at_ns = 400}; };
    d.fold = Fold::undecided;
    d.appears({counters(200), 10, 200});
    if (told) d.tell(FileFinished{{counters(200), 10, 200}});
    d.answer_listing();
    EXPECT_EQ(d.last_fold.appeared, counters(200));
    EXPECT_EQ(d.last_fold.one_image, told);
  }
}

// A round, in which the program is this image.
void finds(Driver& d, const std::string& image) {
  d.signal(SignalArrived{SIGUSR1, 40, true});
  d.expect<FindProcesses>();
  d.tell(ProcessesFound{.processes = {{.pid = 7, .main = true, .image = image, .exact = true}},
                        .end_ns = 60});
  d.expect<ReadSnapshot>();
}

TEST(SessionFlush, ARoundTellsWhoRanBeforeTheNextFileCame) {
  for (const bool round : {true, false}) {
    Driver d(flushing());
    d.writes(kMeta);
    d.expect_stored(kMeta);
    if (round) {
      finds(d, "image 7");
    }
    d.writes(kCounters);
    d.expect_stored(kCounters);
    snapshot(d, 200);
    EXPECT_EQ(d.last_fold.known.seen.image, round ? "image 7" : "");
  }
}

TEST(SessionFlush, WhenTheProgramStartsOnceMoreItsWritersAreLookedAt) {
  Driver d(flushing());
  d.sight = [](const std::string&) {
    return Sighting{.meta = {.inode = 1, .changed_ns = 1}, .at_ns = 2, .image = "a", .exact = true};
  };
  d.writes(kMeta);
  d.expect_stored(kMeta);
  finds(d, "a");
  d.writes(kCounters);
  d.expect_stored(kCounters);
  EXPECT_EQ(d.looks, 1);
  EXPECT_EQ(d.notes, 1);
  d.tell(FileFinished{{kMeta, 10, 1}});
  EXPECT_EQ(d.looks, 1) << "the same writing of it";
  d.writes_version({kMeta, 10, 5});
  EXPECT_EQ(d.looks, 2);
}

TEST(SessionFlush, AtTheEndANoteStaysOfWhoMayWriteOn) {
  for (const bool gone : {true, false}) {
    Driver d;
    d.sight = [](const std::string&) {
      return Sighting{.meta = {.inode = 1, .changed_ns = 1},
                      .at_ns = 2,
                      .image = "image 7",
                      .exact = true,
                      .since_ns = 2};
    };
    d.writes(kMeta);
    d.expect_stored(kMeta);
    d.writes(kCounters);
    d.expect_stored(kCounters);
    if (gone) {
      d.app_ends(0);
    } else {
      d.child_exits(0);
      d.wait(Session::kDescendantsWait);
    }
    d.expect<CloseWatch>();
    d.expect_exit(0);
    EXPECT_EQ(d.notes, gone ? 0 : 1);
  }
}

TEST(SessionFlush, AProcessThatAnEarlierRunLeftIsFoldedLikeOneOfOurs) {
  const FileEntry standing{kCounters, 10, 1};
  for (const bool uploaded : {true, false}) {
    Driver d(with([&](auto& options) {
               options.start_ns = options.run_start_ns = 150;
               options.left_running.push_back({standing,
                                               {.meta = {.inode = 1, .changed_ns = 1},
                                                .at_ns = 2,
                                                .image = "left",
                                                .exact = true}});
             }),
             {standing}, uploaded ? std::vector{standing} : std::vector<FileEntry>{});
    if (!uploaded) d.expect_stored(kCounters);
    d.fold = Fold::replaced;
    snapshot(d, 200);
    EXPECT_TRUE(d.last_fold.left);
    EXPECT_EQ(d.last_fold.known.seen.image, "left");
    const auto again = d.expect<StartUpload>();
    EXPECT_EQ(again.file.path, kCounters);
    EXPECT_TRUE(again.replaces);
  }
}

// ---- Without the right to replace ----

const Event refused_to_replace(upload::UploadId id) {
  return UploadFinished{
      id, upload::Failed{.retryable = false, .reason = "HTTP 403", .may_not_replace = true}};
}

TEST(SessionAppend, SnapshotsAreAddedUnderTheirOwnNamesAndItIsSaidOnce) {
  Driver d(flushing());
  begin(d);
  d.fold = Fold::replaced;
  snapshot(d, 200);
  d.tell(refused_to_replace(expect_version(d, 200).id));
  for (const int time : {200, 300}) {
    if (time > 200) snapshot(d, time);
    const StartUpload upload = expect_version(d, time);
    EXPECT_EQ(upload.object, counters(time));
    EXPECT_FALSE(upload.replaces);
    d.store(upload.id);
    d.expect_recorded(kCounters);
  }
  EXPECT_EQ(
      d.lines(),
      Lines{"snapshots are added to gs://bucket/folder under new names, and `go tool covdata` "
            "counts a process once for each: the newest could not take the place of the one "
            "before (HTTP 403)"});
  d.app_ends(0);
  d.expect<CloseWatch>();
  d.expect_exit(0);
  ASSERT_EQ(d.end_records.size(), 1U);
  ASSERT_EQ(d.end_records[0].processes.size(), 1U);
  EXPECT_EQ(d.end_records[0].processes[0].objects,
            (Names{kCounters, counters(200), counters(300)}));
  EXPECT_EQ(d.lines(), Lines{"uploaded 2 files (20 B) to gs://bucket/folder"});
}

TEST(SessionAppend, AProcessesFirstFileKeepsItsName) {
  Driver d(flushing());
  begin(d);
  d.fold = Fold::replaced;
  snapshot(d, 200);
  d.tell(refused_to_replace(expect_version(d, 200).id));
  d.store(expect_version(d, 200).id);
  d.expect_recorded(kCounters);
  d.writes(testing::kLater);
  const auto upload = d.expect<StartUpload>();
  EXPECT_EQ(upload.file.path, testing::kLater);
  EXPECT_EQ(upload.object, "");
}

TEST(SessionAppend, TheIntervalGrowsWithEachAddedSnapshot) {
  Driver d(flushing(seconds(30)));
  begin(d);
  d.fold = Fold::replaced;
  Duration before{};
  for (int rounds = 0, time = 200; rounds < 8; ++rounds, time += 100) {
    d.wait(*d.next_look());
    if (rounds == 0) d.wait(*d.next_look());  // that was the first look
    d.expect<FindProcesses>();
    d.tell(ProcessesFound{.processes = {kPlain}, .end_ns = time});
    d.expect<ReadSnapshot>();
    snapshot(d, time);
    d.tell(SnapshotRead{7, SnapshotRead::Result::written, ""});
    auto upload = expect_version(d, time);
    if (rounds == 0) {
      d.tell(refused_to_replace(upload.id));
      upload = expect_version(d, time);
    }
    d.store(upload.id);
    d.expect_recorded(kCounters);
    before = *d.next_look();
  }
  EXPECT_GE(before, minutes(9));
  EXPECT_LE(before, minutes(11));
}

// A run that was killed after it had folded a snapshot locally.
TEST(SessionAppend, WhatAnEarlierRunLeftInAnotherVersionGetsANameOfItsOwnToo) {
  const FileEntry now{kCounters, 20, 777};
  Driver d(with([](auto& options) { options.start_ns = options.run_start_ns = 1000; }), {now},
           {{kCounters, 10, 1}});
  const auto first = d.expect<StartUpload>();
  EXPECT_TRUE(first.replaces);
  d.tell(refused_to_replace(first.id));
  const auto second = d.expect<StartUpload>();
  EXPECT_EQ(second.file, now);
  EXPECT_EQ(second.object, counters(777));
  EXPECT_FALSE(second.replaces);
}

TEST(SessionAppend, ARefusalOfAnythingElseStaysARefusal) {
  Driver d(flushing());
  d.writes(kMeta);
  d.tell(refused_to_replace(d.expect_upload(kMeta)));
  d.expect_nothing();
  EXPECT_EQ(d.lines(), Lines{"cannot upload to gs://bucket/folder: HTTP 403"});
}

// ---- The run's record ----

TEST(SessionRecord, IsWrittenOnceAtTheStartAndOnceAtTheEnd) {
  Driver d(flushing());
  EXPECT_EQ(d.start_records, 0);
  begin(d);
  d.writes_version({kMeta, 10, 5});  // another process starts the program
  EXPECT_EQ(d.start_records, 1);
  d.app_ends(3);
  d.expect<CloseWatch>();
  d.expect_exit(3);
  EXPECT_EQ(d.start_records, 1);
  ASSERT_EQ(d.end_records.size(), 1U);
  EXPECT_EQ(d.end_records[0].status, ExitStatus::exited(3));
  EXPECT_EQ(d.end_records[0].flush, "none");
}

TEST(SessionRecord, WithoutCoverageThereIsNone) {
  Driver d(flushing());
  d.app_ends(0);
  d.expect<CloseWatch>();
  d.expect_exit(0);
  EXPECT_EQ(d.start_records, 0);
  EXPECT_TRUE(d.end_records.empty());
}

TEST(SessionRecord, WaitsUntilTheLastCountersAreOnTheirWayButNotUntilTheyAreThere) {
  SessionOptions options = flushing();
  options.parallel = 1;
  Driver d(options);
  d.writes(kMeta);
  d.expect_stored(kMeta);
  d.writes(kCounters);
  d.writes(testing::kLater);
  const auto first = d.expect_upload(kCounters);
  d.app_ends(0);
  d.expect<CloseWatch>();
  EXPECT_TRUE(d.end_records.empty()) << "other counters wait";
  d.store(first);
  d.expect_recorded(kCounters);
  const auto last = d.expect_upload(testing::kLater);
  EXPECT_EQ(d.end_records.size(), 1U);
  d.store(last);
  d.expect_recorded(testing::kLater);
  d.expect_exit(0);
  EXPECT_EQ(d.end_records.size(), 1U);
}

TEST(SessionRecord, IsWrittenAtTheDeadlineIfCountersNeverGotThere) {
  Driver d(flushing());
  d.writes(kMeta);
  d.expect_stored(kMeta);
  d.writes(kCounters);
  const Event busy =
      UploadFinished{d.expect_upload(kCounters),
                     upload::Failed{.retryable = true, .retry_after = minutes(5), .reason = "no"}};
  d.tell(busy);
  d.app_ends(0);
  d.expect<CloseWatch>();
  EXPECT_TRUE(d.end_records.empty());
  d.wait(minutes(1) - upload::Queue::kLastChance);
  d.expect_upload(kCounters);
  EXPECT_EQ(d.end_records.size(), 1U) << "they are on their way again";
  d.tell(busy);
  d.expect_exit(0);
  EXPECT_EQ(d.end_records.size(), 1U);
}

TEST(SessionRecord, IsWrittenAtTheDeadlineEvenIfCountersNeverHadTheirTurn) {
  SessionOptions options = flushing();
  options.parallel = 1;
  Driver d(options);
  d.writes(kMeta);
  d.expect_stored(kMeta);
  d.writes(kCounters);
  d.expect_upload(kCounters);
  d.writes(testing::kLater);
  d.app_ends(0);
  d.expect<CloseWatch>();
  d.wait(seconds(60));
  d.expect<AbortUpload>();
  d.expect_exit(0);
  ASSERT_EQ(d.end_records.size(), 1U);
  EXPECT_EQ(d.end_records[0].processes.size(), 2U);
}

TEST(SessionRecord, NamesWhatAReplacementTurnsOutToBeCalled) {
  Driver d(flushing());
  begin(d);
  d.fold = Fold::replaced;
  snapshot(d, 200);
  const auto id = expect_version(d, 200).id;
  d.app_ends(0);
  d.expect<CloseWatch>();
  EXPECT_TRUE(d.end_records.empty()) << "whether it may be replaced isn't known";
  d.tell(refused_to_replace(id));
  const StartUpload again = expect_version(d, 200);
  EXPECT_EQ(again.object, counters(200));
  ASSERT_EQ(d.end_records.size(), 1U);
  EXPECT_EQ(d.end_records[0].processes.at(0).objects, (Names{kCounters, counters(200)}));
  d.store(again.id);
  d.expect_recorded(kCounters);
  d.expect_exit(0);
}

TEST(SessionRecord, OnceAReplacementWorkedTheNextIsNotWaitedFor) {
  Driver d(flushing());
  begin(d);
  d.fold = Fold::replaced;
  snapshot(d, 200);
  d.store(expect_version(d, 200).id);
  d.expect_recorded(kCounters);
  snapshot(d, 300);
  const auto id = expect_version(d, 300).id;
  d.app_ends(0);
  d.expect<CloseWatch>();
  EXPECT_EQ(d.end_records.size(), 1U);
  d.store(id);
  d.expect_recorded(kCounters);
  d.expect_exit(0);
}

TEST(SessionRecord, ItselfGoesUpAndIsNotCounted) {
  Driver d(flushing());
  begin(d);
  const std::string record = "integcov." + kHash + ".start.json";
  d.writes(record);
  d.expect_stored(record);
  d.app_ends(0);
  d.expect<CloseWatch>();
  d.expect_exit(0);
  EXPECT_EQ(d.lines(), Lines{"uploaded 2 files (20 B) to gs://bucket/folder"});
}

}  // namespace
}  // namespace integcov::supervise
