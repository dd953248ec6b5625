#include "supervise/snapshots.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "coverage/file_name.h"

namespace integcov::supervise {
namespace {

const std::string kHash = "0123456789abcdef0123456789abcdef";
const std::string kOtherHash = "fedcba9876543210fedcba9876543210";

// Times of files are in seconds here: a start is never within a tick of them.
constexpr std::int64_t kSecond = 1'000'000'000;

std::string path(std::uint64_t second, std::uint32_t pid = 7, const std::string& hash = kHash) {
  return "covcounters." + hash + '.' + std::to_string(pid) + '.' + std::to_string(second * kSecond);
}

// Written at the time in its name.
FileEntry entry(const std::string& name, std::uint64_t size = 10) {
  return {name, size, static_cast<std::int64_t>(coverage::parse_file_name(name).time_ns)};
}

MetaStamp started(std::int64_t second) {
  return {.inode = static_cast<std::uint64_t>(second) + 1, .changed_ns = second * kSecond};
}

Sighting memory_of(const std::string& image, MetaStamp meta) {
  return {.meta = meta, .image = image, .exact = true};
}

class SnapshotsTest : public ::testing::Test {
 protected:
  void saw(const std::string& name) {
    snapshots_.saw({entry(name), coverage::parse_file_name(name), false});
  }
  // Who ran at that time, when that covmeta was there.
  void ran(const std::map<std::uint32_t, std::string>& images, std::int64_t ns,
           MetaStamp meta = started(0)) {
    ProcessesFound found{.processes = {}, .metas = {{kHash, meta}}, .end_ns = ns};
    for (const auto& [pid, image] : images) {
      found.processes.push_back({.pid = pid, .image = image, .exact = true});
    }
    snapshots_.running(found);
  }
  void program_starts(const std::string& hash) {
    snapshots_.image_started(hash);
    now_ += std::chrono::hours(1);
    snapshots_.look_again(now_);
  }
  // The next request, after notes.
  std::optional<Snapshots::Request> next() {
    while (auto request = snapshots_.next(now_)) {
      const auto* note = std::get_if<NoteWriter>(&*request);
      if (note == nullptr) return request;
      notes_.push_back(*note);
    }
    return std::nullopt;
  }
  void expect_nothing() { EXPECT_FALSE(next()); }
  void expect_look(const std::string& name) {
    const auto request = next();
    ASSERT_TRUE(request && std::holds_alternative<LookAtWriter>(*request));
    EXPECT_EQ(std::get<LookAtWriter>(*request).path, name);
  }
  FoldSnapshot expect_fold(const std::string& standing, const std::string& appeared) {
    const auto request = next();
    if (!request || !std::holds_alternative<FoldSnapshot>(*request)) {
      ADD_FAILURE() << "no fold is asked for";
      return {};
    }
    const auto& fold = std::get<FoldSnapshot>(*request);
    EXPECT_EQ(fold.standing, standing);
    EXPECT_EQ(fold.appeared, appeared);
    return fold;
  }
  std::optional<Snapshots::Upload> looked(const std::string& name, const std::string& image,
                                          MetaStamp meta = started(0)) {
    return snapshots_.on_looked({name, {.meta = meta, .at_ns = 0, .image = image, .exact = true}});
  }
  std::optional<Snapshots::Upload> folded(const FoldSnapshot& asked, Fold fold,
                                          const std::string& image = "a",
                                          MetaStamp meta = started(0)) {
    return snapshots_.on_folded({.standing = asked.standing,
                                 .appeared = asked.appeared,
                                 .fold = fold,
                                 .wrapped = false,
                                 .file = entry(asked.standing, 20),
                                 .seen = {.meta = meta, .at_ns = 0, .image = image, .exact = true}},
                                now_);
  }
  // A process's first file, whose writer was seen.
  void begin(const std::string& name, const std::string& image = "a", MetaStamp meta = started(0)) {
    saw(name);
    expect_look(name);
    EXPECT_TRUE(looked(name, image, meta));
    expect_nothing();
  }
  // What is known of the writer when the next one comes.
  std::string known_image(const std::string& standing, const std::string& next) {
    saw(next);
    return expect_fold(standing, next).known.seen.image;
  }

  Snapshots snapshots_;
  MonoTime now_{};
  std::vector<NoteWriter> notes_;
};

TEST_F(SnapshotsTest, TheFirstFileOfAProcessGoesUpAsItIsAfterALookAtItsWriter) {
  EXPECT_FALSE(snapshots_.busy());
  saw(path(1));
  EXPECT_TRUE(snapshots_.busy());
  expect_look(path(1));
  EXPECT_TRUE(snapshots_.busy()) << "until the answer";
  const auto upload = looked(path(1), "a");
  ASSERT_TRUE(upload);
  EXPECT_EQ(upload->file, entry(path(1)));
  EXPECT_EQ(upload->order, static_cast<std::uint64_t>(kSecond));
  EXPECT_EQ(upload->newest, path(1));
  expect_nothing();
  EXPECT_FALSE(snapshots_.busy());
}

TEST_F(SnapshotsTest, TheNextOneReplacesItsContentUnderTheFirstName) {
  begin(path(1));
  for (std::uint64_t second = 2; second <= 4; ++second) {
    saw(path(second));
    const FoldSnapshot asked = expect_fold(path(1), path(second));
    EXPECT_EQ(asked.known.newest_ns, (second - 1) * kSecond);
    EXPECT_EQ(asked.known.seen.image, "a");
    const auto upload = folded(asked, Fold::replaced);
    ASSERT_TRUE(upload);
    EXPECT_EQ(upload->file, entry(path(1), 20));
    EXPECT_EQ(upload->order, second * kSecond);
    EXPECT_EQ(upload->newest, path(second));
    expect_nothing();
  }
}

TEST_F(SnapshotsTest, WithoutAMovedCounterNothingGoesUp) {
  begin(path(1));
  saw(path(2));
  EXPECT_FALSE(folded(expect_fold(path(1), path(2)), Fold::unchanged));
  saw(path(3));
  EXPECT_EQ(expect_fold(path(1), path(3)).known.newest_ns, 2U * kSecond)
      << "the counters had these values then";
}

TEST_F(SnapshotsTest, WhatIsOlderOrGoneIsNoUpload) {
  for (const Fold fold : {Fold::superseded, Fold::vanished}) {
    snapshots_ = {};
    begin(path(5));
    saw(path(2));
    EXPECT_FALSE(folded(expect_fold(path(5), path(2)), fold));
    saw(path(6));
    EXPECT_EQ(expect_fold(path(5), path(6)).known.newest_ns, 5U * kSecond);
  }
}

TEST_F(SnapshotsTest, AFileThatCannotBeReadGoesUpItselfAndTheFirstStays) {
  begin(path(1));
  saw(path(2));
  const auto upload = folded(expect_fold(path(1), path(2)), Fold::unreadable);
  ASSERT_TRUE(upload);
  EXPECT_EQ(upload->file, entry(path(2)));
  EXPECT_EQ(upload->newest, path(2));
  saw(path(3));
  expect_fold(path(1), path(3));
}

TEST_F(SnapshotsTest, AnotherImagesFileGoesUpItselfAndIsTheFirstFromThenOn) {
  begin(path(1));
  saw(path(3));
  const auto upload = folded(expect_fold(path(1), path(3)), Fold::kept, "b", started(2));
  ASSERT_TRUE(upload);
  EXPECT_EQ(upload->file, entry(path(3)));
  saw(path(4));
  const FoldSnapshot next = expect_fold(path(3), path(4));
  EXPECT_EQ(next.known.newest_ns, 3U * kSecond);
  EXPECT_EQ(next.known.seen.image, "b");
}

TEST_F(SnapshotsTest, AnotherImagesFileThatIsOlderGoesUpAndChangesNothing) {
  begin(path(3));
  saw(path(1));
  const auto upload = folded(expect_fold(path(3), path(1)), Fold::kept);
  ASSERT_TRUE(upload);
  EXPECT_EQ(upload->file, entry(path(1)));
  saw(path(4));
  expect_fold(path(3), path(4));
}

TEST_F(SnapshotsTest, SeveralThatWaitAreFoldedOneByOneOldestFirst) {
  saw(path(1));
  saw(path(4));
  saw(path(2));
  saw(path(3));
  expect_look(path(1));
  expect_nothing();
  looked(path(1), "a");
  for (const std::uint64_t second : {2U, 3U, 4U}) {
    const FoldSnapshot asked = expect_fold(path(1), path(second));
    expect_nothing();
    EXPECT_TRUE(folded(asked, Fold::replaced));
  }
  expect_nothing();
  EXPECT_FALSE(snapshots_.busy());
}

TEST_F(SnapshotsTest, ProcessesAndProgramsAreApart) {
  begin(path(1, 7));
  begin(path(2, 8));
  begin(path(3, 7, kOtherHash));
  saw(path(4, 8));
  EXPECT_TRUE(folded(expect_fold(path(2, 8), path(4, 8)), Fold::replaced));
}

TEST_F(SnapshotsTest, TheFirstFileToldOfAgainIsNoSnapshot) {
  begin(path(1));
  saw(path(1));
  expect_nothing();
}

TEST_F(SnapshotsTest, TheFirstFileWrittenAnewBySomebodyElseIsUploadedAnew) {
  begin(path(1));
  snapshots_.saw({entry(path(1), 11), coverage::parse_file_name(path(1)), false});
  expect_look(path(1));
  const auto upload = looked(path(1), "a");
  ASSERT_TRUE(upload);
  EXPECT_EQ(upload->file, entry(path(1), 11));
  expect_nothing();
}

TEST_F(SnapshotsTest, AnAnswerThatNobodyAskedForIsNothing) {
  EXPECT_FALSE(looked(path(1), "a"));
  EXPECT_FALSE(folded({path(1), path(2), {}}, Fold::replaced));
  begin(path(1));
  EXPECT_FALSE(looked(path(1), "a"));
  EXPECT_FALSE(folded({path(1), path(2), {}}, Fold::replaced));
  EXPECT_FALSE(snapshots_.busy());
}

// ---- Who wrote it ----

TEST_F(SnapshotsTest, TheImageThatRunsIsTheWriterIfNoneStartedSinceTheFile) {
  begin(path(5), "a", started(4));
  EXPECT_EQ(known_image(path(5), path(6)), "a");
}

TEST_F(SnapshotsTest, AfterAStartTheImageThatRunsMayBeAnother) {
  begin(path(5), "b", started(6));
  EXPECT_EQ(known_image(path(5), path(7)), "");
}

TEST_F(SnapshotsTest, UnlessItWasSeenBeforeTheFileToo) {
  ran({{7, "a"}}, 4 * kSecond);
  begin(path(5), "a", started(6));
  EXPECT_EQ(known_image(path(5), path(7)), "a");
}

TEST_F(SnapshotsTest, BeforeTheFileMeansBeforeItAndTheSameImage) {
  ran({{7, "a"}}, 5 * kSecond);
  begin(path(5), "a", started(6));
  EXPECT_EQ(known_image(path(5), path(7)), "") << "as late as the file";

  snapshots_ = {};
  ran({{7, "z"}}, 4 * kSecond);
  begin(path(5), "a", started(6));
  EXPECT_EQ(known_image(path(5), path(7)), "") << "another ran then";
}

TEST_F(SnapshotsTest, AProcessThatIsGoneIsNotKnown) {
  begin(path(5), "", started(4));
  EXPECT_EQ(known_image(path(5), path(6)), "");
}

TEST_F(SnapshotsTest, AProcessThatRanBeforeItsFileAndIsGoneIsKnownIfNoneStartedSince) {
  ran({{7, "a"}}, 4 * kSecond, started(3));
  begin(path(5), "", started(3));
  EXPECT_EQ(known_image(path(5), path(6)), "a");

  snapshots_ = {};
  ran({{7, "a"}}, 4 * kSecond, started(2));
  begin(path(5), "", started(3));
  EXPECT_EQ(known_image(path(5), path(6)), "") << "another image may have written it";

  snapshots_ = {};
  ran({{7, ""}}, 4 * kSecond, started(3));
  begin(path(5), "", started(3));
  EXPECT_EQ(known_image(path(5), path(6)), "") << "it could not be looked at";
}

TEST_F(SnapshotsTest, WhoseMemoryAFileIsIsKnownForSure) {
  snapshots_.read_from(path(5), memory_of("a", started(4)));
  begin(path(5), "b", started(6));
  snapshots_.read_from(path(7), memory_of("c", started(6)));
  saw(path(7));
  const FoldSnapshot asked = expect_fold(path(5), path(7));
  EXPECT_EQ(asked.known.seen.image, "a");
  EXPECT_TRUE(asked.known.sure);
  EXPECT_EQ(asked.known.seen.meta, started(4)) << "the later one may be another image's";
  EXPECT_EQ(asked.known.written_ns, 4 * kSecond + 1);
  EXPECT_EQ(asked.of.memory.image, "c");
  EXPECT_EQ(asked.of.written_ns, 6 * kSecond + 1);
  EXPECT_EQ(asked.of.memory.meta, started(6));
  EXPECT_TRUE(folded(asked, Fold::kept, "b", started(6)));
  saw(path(8));
  EXPECT_EQ(expect_fold(path(7), path(8)).known.seen.image, "c");
}

TEST_F(SnapshotsTest, ASnapshotOfItsMemoryTellsWhoTheWriterIs) {
  begin(path(5), "a", started(4));
  snapshots_.read_from(path(7), memory_of("a", started(4)));
  saw(path(7));
  const FoldSnapshot asked = expect_fold(path(5), path(7));
  EXPECT_FALSE(asked.known.sure);
  folded(asked, Fold::replaced, "", started(4));
  saw(path(8));
  EXPECT_TRUE(expect_fold(path(5), path(8)).known.sure);
}

TEST_F(SnapshotsTest, AnImageIsSureOnceItWasSeenBeforeAndAfterAFile) {
  begin(path(5), "a", started(4));
  saw(path(7));
  const FoldSnapshot first = expect_fold(path(5), path(7));
  EXPECT_FALSE(first.known.sure) << "it may have been about to start";
  folded(first, Fold::replaced, "a", started(4));
  saw(path(8));
  EXPECT_TRUE(expect_fold(path(5), path(8)).known.sure);

  snapshots_ = {};
  ran({{7, "a"}}, 4 * kSecond);
  begin(path(5), "a", started(3));
  saw(path(7));
  EXPECT_TRUE(expect_fold(path(5), path(7)).known.sure);
}

TEST_F(SnapshotsTest, AnotherImageThatIsSeenAfterASnapshotIsNotItsWriter) {
  begin(path(5), "a", started(4));
  saw(path(7));
  folded(expect_fold(path(5), path(7)), Fold::replaced, "b", started(4));
  EXPECT_EQ(known_image(path(5), path(8)), "a");
}

TEST_F(SnapshotsTest, AnUnsureWriterIsNotLookedAtAgain) {
  begin(path(5), "a", started(4));
  program_starts(kHash);
  expect_nothing();
}

TEST_F(SnapshotsTest, EachWriterThatIsKnownIsNotedAndAgainOnceItIsSure) {
  begin(path(5), "a", started(4));
  saw(path(6));
  folded(expect_fold(path(5), path(6)), Fold::replaced, "a", started(4));
  saw(path(8));
  folded(expect_fold(path(5), path(8)), Fold::kept, "b", started(7));
  begin(path(5, 8), "", started(4));
  expect_nothing();
  ASSERT_EQ(notes_.size(), 4U);
  EXPECT_EQ(notes_[0].path, path(5));
  EXPECT_EQ(notes_[0].meta, started(4));
  EXPECT_EQ(notes_[0].image, "") << "it was seen after the file only";
  EXPECT_EQ(notes_[1].path, path(5));
  EXPECT_EQ(notes_[1].meta, started(4));
  EXPECT_EQ(notes_[1].image, "a");
  EXPECT_EQ(notes_[2].path, path(5));
  EXPECT_EQ(notes_[2].meta, MetaStamp{}) << "its place may be taken no more";
  EXPECT_EQ(notes_[3].path, path(8));
  EXPECT_EQ(notes_[3].meta, started(7));
}

std::vector<std::string> paths(const std::vector<NoteWriter>& notes) {
  std::vector<std::string> all;
  for (const NoteWriter& note : notes) all.push_back(note.path);
  return all;
}

TEST_F(SnapshotsTest, AtTheEndTheNotesOfWhoMayWriteOnStay) {
  using Paths = std::vector<std::string>;
  snapshots_.left_running(
      {entry(path(1, 6)), {.meta = started(0), .at_ns = 2 * kSecond, .image = "z", .exact = true}});
  begin(path(5), "a", started(4));
  begin(path(5, 8), "b", started(4));
  begin(path(5, 9), "", started(4));
  EXPECT_EQ(paths(snapshots_.notes_of_the_living(false)), (Paths{path(1, 6), path(5), path(5, 8)}))
      << "but not of one that was never seen";
  saw(path(6));
  folded(expect_fold(path(5), path(6)), Fold::replaced, "", started(4));
  EXPECT_EQ(paths(snapshots_.notes_of_the_living(false)), (Paths{path(1, 6), path(5, 8)}))
      << "that one has ended";
  EXPECT_EQ(paths(snapshots_.notes_of_the_living(true)), Paths{path(1, 6)})
      << "no descendant is left, but it isn't one";
  EXPECT_EQ(snapshots_.notes_of_the_living(true)[0].image, "z");
}

TEST_F(SnapshotsTest, WhatAnEarlierRunsProcessWritesIsFoldedThoughItIsNoDescendant) {
  snapshots_.left_running(
      {entry(path(1)), {.meta = started(0), .at_ns = 2 * kSecond, .image = "a", .exact = true}});
  expect_nothing();
  ASSERT_EQ(notes_.size(), 1U) << "this run may be killed as well";
  EXPECT_EQ(notes_[0].image, "a");

  program_starts(kHash);  // our own program
  const auto look = next();
  ASSERT_TRUE(look && std::holds_alternative<LookAtWriter>(*look));
  EXPECT_TRUE(std::get<LookAtWriter>(*look).left);
  looked(path(1), "a", started(3));
  saw(path(5));
  const FoldSnapshot asked = expect_fold(path(1), path(5));
  EXPECT_TRUE(asked.left);
  EXPECT_TRUE(asked.known.sure);
  EXPECT_EQ(asked.known.newest_ns, 1U * kSecond);
  EXPECT_EQ(asked.known.seen.meta, started(3));
  EXPECT_TRUE(folded(asked, Fold::replaced, "a", started(3)));

  EXPECT_TRUE(snapshots_.expects(coverage::parse_file_name(path(6))));
  EXPECT_FALSE(snapshots_.expects(coverage::parse_file_name(path(5)))) << "it is here";
  EXPECT_FALSE(snapshots_.expects(coverage::parse_file_name(path(6, 8))));
  saw(path(6));
  const FoldSnapshot cleared = expect_fold(path(1), path(6));
  folded(cleared, Fold::kept, "a", started(3));
  saw(path(8));
  const FoldSnapshot other = expect_fold(path(6), path(8));
  EXPECT_TRUE(other.left) << "it cleared its counters";
  folded(other, Fold::kept, "b", started(7));
  saw(path(9));
  EXPECT_FALSE(expect_fold(path(8), path(9)).left) << "its pid is another process's now";
}

TEST_F(SnapshotsTest, TooManyOldNotesAreWrittenAnew) {
  ran({{7, "a"}}, 4 * kSecond);
  begin(path(5), "a", started(1));
  begin(path(5, 8), "", started(1));
  for (std::int64_t second = 2;; ++second) {
    program_starts(kHash);
    expect_look(path(5));
    looked(path(5), "a", started(second));
    const auto request = snapshots_.next(now_);
    ASSERT_TRUE(request);
    if (const auto* anew = std::get_if<RewriteNotes>(&*request)) {
      ASSERT_EQ(anew->notes.size(), 1U) << "of the writers that are known";
      EXPECT_EQ(anew->notes[0].path, path(5));
      EXPECT_EQ(anew->notes[0].meta, started(second));
      break;
    }
    ASSERT_LE(second, 5000);
  }
  expect_nothing();
}

TEST_F(SnapshotsTest, WhenAnotherProcessStartsTheProgramTheWriterIsLookedAtAgain) {
  ran({{7, "a"}}, 4 * kSecond);
  begin(path(5), "a", started(4));
  program_starts(kHash);
  expect_look(path(5));
  EXPECT_FALSE(looked(path(5), "a", started(6))) << "no reason to upload";
  saw(path(7));
  const FoldSnapshot asked = expect_fold(path(5), path(7));
  EXPECT_EQ(asked.known.seen.image, "a");
  EXPECT_EQ(asked.known.seen.meta, started(6)) << "seen after that start: its end may come now";
  ASSERT_EQ(notes_.size(), 2U);
  EXPECT_EQ(notes_[1].meta, started(6));
}

TEST_F(SnapshotsTest, AWriterThatRanWhenItsFirstFileWasNamedIsSureFromOneLook) {
  for (const std::int64_t since : {5 * kSecond - 1, 5 * kSecond}) {
    snapshots_ = {};
    saw(path(5));
    expect_look(path(5));
    snapshots_.on_looked({path(5),
                          {.meta = started(6),
                           .at_ns = 7 * kSecond,
                           .image = "a",
                           .exact = true,
                           .since_ns = since}});
    saw(path(8));
    const bool ran = since < 5 * kSecond;
    const FoldSnapshot asked = expect_fold(path(5), path(8));
    EXPECT_EQ(asked.known.sure, ran);
    EXPECT_EQ(asked.known.seen.image, ran ? "a" : "");
    EXPECT_EQ(notes_.size(), ran ? 1U : 0U);
    notes_.clear();
  }
}

TEST_F(SnapshotsTest, ManyWritersAreLookedAtOnceAMillisecondAtMost) {
  constexpr std::uint32_t kWriters = 20;
  std::map<std::uint32_t, std::string> images;
  for (std::uint32_t pid = 1; pid <= kWriters; ++pid) images[pid] = std::to_string(pid);
  ran(images, 4 * kSecond);
  for (std::uint32_t pid = 1; pid <= kWriters; ++pid) begin(path(5, pid), images[pid], started(4));

  EXPECT_EQ(snapshots_.deadline(), std::nullopt);
  const MonoTime end = now_ + std::chrono::seconds(1);
  unsigned looks = 0;
  for (std::int64_t second = 6; now_ < end; now_ += std::chrono::milliseconds(1), ++second) {
    snapshots_.image_started(kHash);
    snapshots_.look_again(now_);
    while (const auto request = next()) {
      const auto& look = std::get<LookAtWriter>(*request);
      looked(look.path, images[coverage::parse_file_name(look.path).pid], started(second));
      ++looks;
    }
  }
  EXPECT_EQ(looks, 1000U) << "a look at all, and that again when the time for it is over";
  ASSERT_TRUE(snapshots_.deadline());
  EXPECT_GT(*snapshots_.deadline(), now_ - std::chrono::milliseconds(1));
}

TEST_F(SnapshotsTest, AWriterThatHasBecomeAnotherImageMayHaveWrittenMoreBefore) {
  ran({{7, "a"}}, 4 * kSecond);
  begin(path(5), "a", started(4));
  program_starts(kHash);
  expect_look(path(5));
  EXPECT_FALSE(looked(path(5), "b", started(6)));
  program_starts(kHash);
  expect_nothing();  // it was seen gone
  EXPECT_EQ(known_image(path(5), path(7)), "a");
}

TEST_F(SnapshotsTest, AWriterThatHasEndedIsStillKnown) {
  ran({{7, "a"}}, 4 * kSecond);
  begin(path(5), "a", started(4));
  program_starts(kHash);
  expect_look(path(5));
  EXPECT_FALSE(looked(path(5), "", started(6)));
  saw(path(7));
  const FoldSnapshot asked = expect_fold(path(5), path(7));
  EXPECT_EQ(asked.known.seen.image, "a");
  EXPECT_EQ(asked.known.seen.meta, started(4)) << "since then it was not seen";
}

TEST_F(SnapshotsTest, AWriterThatHasEndedIsNotLookedAtAnyMore) {
  ran({{7, "a"}}, 4 * kSecond);
  begin(path(5), "a", started(4));
  program_starts(kHash);
  expect_look(path(5));
  looked(path(5), "", started(6));
  program_starts(kHash);
  expect_nothing();
}

TEST_F(SnapshotsTest, EachSnapshotIsALookAtItsWriterToo) {
  begin(path(5), "a", started(4));
  saw(path(7));
  folded(expect_fold(path(5), path(7)), Fold::replaced, "a", started(6));
  saw(path(8));
  const FoldSnapshot next = expect_fold(path(5), path(8));
  EXPECT_EQ(next.known.seen.meta, started(6));
  folded(next, Fold::replaced, "", started(6));
  saw(path(9));
  EXPECT_EQ(expect_fold(path(5), path(9)).known.seen.image, "a") << "unless it can't be seen";
}

TEST_F(SnapshotsTest, AnotherProgramsStartOrAnUnknownWriterIsNoReasonToLook) {
  ran({{7, "a"}}, 4 * kSecond);
  begin(path(5), "a");
  begin(path(6, 8), "");
  program_starts(kOtherHash);
  expect_nothing();
  program_starts(kHash);
  expect_look(path(5));
  expect_nothing();
}

TEST_F(SnapshotsTest, ALookComesBeforeAFold) {
  ran({{7, "a"}}, 4 * kSecond);
  begin(path(5), "a");
  saw(path(7));
  program_starts(kHash);
  expect_look(path(5));
  looked(path(5), "a");
  expect_fold(path(5), path(7));
}

// ---- Bounds ----

TEST_F(SnapshotsTest, OfTooManyProcessesOneThatEndedIsForgottenFirst) {
  constexpr auto kMost = static_cast<std::uint32_t>(Snapshots::kMostProcesses);
  ran({{1, "a"}}, 0);
  for (std::uint32_t pid = 1; pid <= kMost + 1; ++pid) begin(path(1, pid));
  saw(path(2, 1));
  EXPECT_TRUE(folded(expect_fold(path(1, 1), path(2, 1)), Fold::replaced)) << "it still runs";
  saw(path(2, 2));
  expect_look(path(2, 2));
}

TEST_F(SnapshotsTest, OfTooManyThatRunTheOneFirstSeenIsForgotten) {
  constexpr auto kMost = static_cast<std::uint32_t>(Snapshots::kMostProcesses);
  std::map<std::uint32_t, std::string> all;
  for (std::uint32_t pid = 1; pid <= kMost + 1; ++pid) all[pid] = "a";
  ran(all, 0);
  for (std::uint32_t pid = 1; pid <= kMost + 1; ++pid) begin(path(1, pid));
  saw(path(2, 1));
  expect_look(path(2, 1));
}

TEST_F(SnapshotsTest, AWriterThatIsBeingLookedAtAgainIsNotForgotten) {
  constexpr auto kMost = static_cast<std::uint32_t>(Snapshots::kMostProcesses);
  ran({{1, "a"}}, kSecond / 2);
  begin(path(1, 1), "a");
  program_starts(kHash);
  expect_look(path(1, 1));
  for (std::uint32_t pid = 2; pid <= kMost + 1; ++pid) begin(path(1, pid), "a");
  EXPECT_TRUE(snapshots_.busy());
  looked(path(1, 1), "a");
  expect_nothing();
  EXPECT_FALSE(snapshots_.busy());
}

TEST_F(SnapshotsTest, WhatIsUnderWayIsNotForgotten) {
  constexpr auto kMost = static_cast<std::uint32_t>(Snapshots::kMostProcesses);
  saw(path(1, 1));
  expect_look(path(1, 1));
  for (std::uint32_t pid = 2; pid <= kMost + 1; ++pid) begin(path(1, pid));
  EXPECT_TRUE(looked(path(1, 1), "a"));
}

}  // namespace
}  // namespace integcov::supervise
