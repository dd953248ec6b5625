#include "supervise/fold.h"

#include <gtest/gtest.h>

#include <vector>

namespace integcov::supervise {
namespace {

// ---- Is it the same image? ----

// Times in names and of files are the same here.
constexpr std::int64_t kFirst = 1'000'000'000;
constexpr std::int64_t kSecond = 2'000'000'000;
constexpr MetaStamp kMeta{.inode = 5, .changed_ns = 500'000'000};    // written before both
constexpr MetaStamp kAnew{.inode = 6, .changed_ns = 1'500'000'000};  // an image started in between

Sighting sight(MetaStamp meta, std::string image, bool exact = true) {
  return {.meta = meta, .at_ns = 0, .image = std::move(image), .exact = exact, .until_ns = 1};
}

Standing standing(std::int64_t ns, Sighting seen, bool sure = true) {
  return {.first_ns = static_cast<std::uint64_t>(ns),
          .newest_ns = static_cast<std::uint64_t>(ns),
          .written_ns = ns,
          .read_ns = ns,
          .seen = std::move(seen),
          .sure = sure};
}

Appeared file(std::int64_t ns, std::string memory_of = "") {
  return {static_cast<std::uint64_t>(ns), ns, ns, sight({}, std::move(memory_of))};
}

TEST(OneImage, IsItWhenNoneStartedSinceTheFirstFileWasWritten) {
  const Standing known = standing(kFirst, sight({}, "a"), false);
  EXPECT_TRUE(of_one_image(known, file(kSecond), sight(kMeta, "")))
      << "also of a process that is gone";
  EXPECT_FALSE(of_one_image(known, file(kSecond), sight(kAnew, "")));
}

TEST(OneImage, IsItOnlyOfADescendantThatWasSeen) {
  EXPECT_FALSE(of_one_image(standing(kFirst, {}), file(kSecond), sight(kMeta, "")));
  EXPECT_FALSE(of_one_image(standing(kFirst, sight(kMeta, "")), file(kSecond), sight(kMeta, "a")));
  EXPECT_FALSE(of_one_image(standing(kSecond, {}), file(kFirst), sight(kMeta, "a")));
}

TEST(OneImage, AStartInTheSameMomentMayHaveComeAfterTheFirstFile) {
  const auto started = [](std::int64_t ns) {
    return of_one_image(standing(kFirst, sight({}, "a")), file(kSecond),
                        sight({.inode = 5, .changed_ns = ns}, ""));
  };
  EXPECT_FALSE(started(kFirst));
  EXPECT_TRUE(started(kFirst - 1));
}

TEST(OneImage, AStartThatLooksOlderThanOneThatWasSeenTellsOfAClockThatWasSetBack) {
  const Standing known = standing(kSecond, sight(kAnew, "a"));
  EXPECT_FALSE(of_one_image(known, file(kSecond + 1), sight(kMeta, "")));
  EXPECT_TRUE(of_one_image(known, file(kSecond + 1), sight(kMeta, "a"))) << "but it is there";
  EXPECT_TRUE(of_one_image(known, file(kSecond + 1), sight({}, "a"))) << "the covmeta is gone";
}

TEST(OneImage, WithoutACovmetaNothingIsKnownOfStarts) {
  EXPECT_FALSE(of_one_image(standing(kFirst, sight({}, "a")), file(kSecond), sight({}, "")));
  EXPECT_FALSE(of_one_image(standing(kFirst, sight({}, "a")), file(kSecond), sight({}, "b")))
      << "two looks that found none are not the same writing of it";
}

TEST(OneImage, AnotherProcessMayStartThatProgramWhileTheWriterIsStillSeen) {
  const Standing known = standing(kFirst, sight(kMeta, "a"));
  EXPECT_TRUE(of_one_image(known, file(kSecond), sight(kAnew, "a")));
  EXPECT_FALSE(of_one_image(known, file(kSecond), sight(kAnew, "b")))
      << "it called exec, or its pid was reused";
  EXPECT_FALSE(of_one_image(known, file(kSecond), sight(kAnew, "")))
      << "the second may be another's";
}

TEST(OneImage, AnImageThatWasNotSeenBeforeTheFileMayHaveBeenAboutToStart) {
  const Standing known = standing(kFirst, sight(kMeta, "a"), false);
  EXPECT_FALSE(of_one_image(known, file(kSecond), sight(kAnew, "a")));
}

TEST(OneImage, AProcessThatCannotBeLookedIntoMayHaveCalledExec) {
  const Standing known = standing(kFirst, sight(kMeta, "a", false), false);
  EXPECT_FALSE(of_one_image(known, file(kSecond), sight(kAnew, "a", false)));
  EXPECT_TRUE(of_one_image(known, file(kSecond), sight(kMeta, "a", false))) << "but none started";
}

TEST(OneImage, TheWriterIsGoneButNoneStartedSinceItWasSeen) {
  EXPECT_TRUE(of_one_image(standing(kFirst, sight(kAnew, "a")), file(kSecond), sight(kAnew, "")));
}

TEST(OneImage, TwoWritersThatWereNotSeenAreNotTakenForOne) {
  EXPECT_FALSE(of_one_image(standing(kFirst, sight(kAnew, "")), file(kSecond), sight(kAnew, "")));
}

TEST(OneImage, OfAFileThatCameLateItIsTheOlderTimeThatCounts) {
  EXPECT_TRUE(of_one_image(standing(kSecond, sight(kMeta, "a")), file(kFirst), sight(kMeta, "")));
  const Standing known = standing(kSecond, sight(kAnew, "a"));
  EXPECT_FALSE(of_one_image(known, file(kFirst), sight(kAnew, "")));
  EXPECT_FALSE(of_one_image(known, file(kFirst), sight(kAnew, "a")))
      << "the image that was seen wrote the newer one; of the older one that says nothing";
}

TEST(OneImage, BetweenTwoFilesOfItsItIsTheSame) {
  constexpr MetaStamp kLater{.inode = 6, .changed_ns = kSecond};
  Standing known = standing(kSecond, sight(kMeta, "a"));
  known.first_ns = kFirst;
  EXPECT_TRUE(of_one_image(known, file(kFirst + 1), sight(kLater, "b")));
  EXPECT_FALSE(of_one_image(known, file(kFirst - 1), sight(kLater, "b")));
  EXPECT_FALSE(of_one_image(known, file(kSecond + 1), sight(kLater, "b")));
  known.sure = false;
  EXPECT_FALSE(of_one_image(known, file(kFirst + 1), sight(kLater, "b")));
}

TEST(OneImage, WhoseMemoryItIsSaysMoreThanAnyStart) {
  const Standing known = standing(kFirst, sight(kMeta, "a"));
  EXPECT_FALSE(of_one_image(known, file(kSecond, "b"), sight(kMeta, "b")))
      << "an image with another GOCOVERDIR writes no covmeta here";
  EXPECT_TRUE(of_one_image(known, file(kSecond, "a"), sight(kAnew, "b")));
  EXPECT_TRUE(of_one_image(known, file(kFirst - 1, "a"), sight({}, ""))) << "also an older one";
  const Standing unsure = standing(kFirst, sight(kMeta, "a"), false);
  EXPECT_FALSE(of_one_image(unsure, file(kSecond, "b"), sight(kMeta, "b")))
      << "it may be about to write its covmeta";
}

TEST(OneImage, WhatHasRunSinceBeforeBothWroteBoth) {
  const auto since = [](std::int64_t ns, bool exact = true) {
    Sighting seen = sight(kAnew, "a", exact);
    seen.since_ns = ns;
    return seen;
  };
  for (const Standing& known : {standing(kFirst, {}), standing(kFirst, sight(kMeta, "b"), false)}) {
    EXPECT_TRUE(of_one_image(known, file(kSecond), since(kFirst - 1)));
    EXPECT_FALSE(of_one_image(known, file(kSecond), since(kFirst))) << "the first is another's";
    EXPECT_FALSE(of_one_image(known, file(kSecond), since(0))) << "it isn't known since when";
    EXPECT_FALSE(of_one_image(known, file(kSecond), since(kFirst - 1, false)));
    EXPECT_FALSE(of_one_image(known, file(kFirst - 5), since(kFirst - 1)));
    EXPECT_TRUE(of_one_image(known, file(kFirst - 5), since(kFirst - 6))) << "also of a late one";
  }
}

// A process writes its last file while its memory is read, and is gone.
TEST(OneImage, WhatRanWhenTheOtherFileGotItsNameWroteBoth) {
  const auto ran = [](std::int64_t since, std::int64_t until) {
    Sighting seen = sight(kMeta, "a");
    seen.since_ns = since;
    seen.until_ns = until;
    return seen;
  };
  const Sighting gone = sight({.inode = 7, .changed_ns = 3 * kFirst}, "");
  const Standing memory = standing(kSecond, ran(kFirst, kSecond));
  EXPECT_TRUE(of_one_image(memory, file(kSecond - 1), gone));
  EXPECT_TRUE(of_one_image(memory, file(kSecond), gone));
  Sighting after_the_clock_was_set = gone;
  after_the_clock_was_set.until_ns = 0;
  EXPECT_FALSE(of_one_image(memory, file(kSecond), after_the_clock_was_set));
  EXPECT_FALSE(of_one_image(memory, file(kSecond + 1), gone)) << "another one may run by then";
  EXPECT_FALSE(of_one_image(memory, file(kFirst), gone)) << "another one may have run till then";
  EXPECT_FALSE(of_one_image(standing(kSecond, ran(0, kSecond)), file(kSecond - 1), gone));
  EXPECT_FALSE(
      of_one_image(standing(kSecond, ran(kFirst, kSecond), false), file(kSecond - 1), gone))
      << "what ran may not have written what stands";

  Appeared read = file(kSecond, "a");
  read.memory = ran(kFirst, kSecond);
  EXPECT_TRUE(of_one_image(standing(kSecond - 1, {}, false), read, gone));
  EXPECT_TRUE(of_one_image(standing(kSecond - 1, sight(kMeta, "b"), false), read, gone));
  EXPECT_FALSE(of_one_image(standing(kSecond - 1, sight(kMeta, "b")), read, gone))
      << "it is known whose that is";
  EXPECT_FALSE(of_one_image(standing(kFirst, {}, false), read, gone));
  EXPECT_FALSE(of_one_image(standing(kSecond + 1, {}, false), read, gone));
}

TEST(OneImage, OfLeftoversTheNoteOfTheirWriterDecides) {
  EXPECT_TRUE(of_one_image(kMeta, kFirst, kMeta)) << "none started since it was seen";
  EXPECT_TRUE(of_one_image(kAnew, kFirst, kMeta)) << "nor since the file";
  EXPECT_TRUE(of_one_image(kAnew, kFirst, kAnew));
  EXPECT_FALSE(of_one_image(kMeta, kFirst, kAnew));
  EXPECT_FALSE(of_one_image(MetaStamp{}, kFirst, MetaStamp{})) << "there is no covmeta";
}

// ---- What is done ----

using Values = std::vector<std::uint32_t>;

coverage::Counters counters(const Values& values) {
  coverage::Counters result;
  result.add(0, 0, values);
  return result;
}

struct Pair {
  Values standing;
  Values appeared;
};

Fold fold(const Pair& pair, bool appeared_newer = true, Images images = Images::one) {
  return judge(counters(pair.standing), counters(pair.appeared), {appeared_newer}, images).fold;
}

const Pair kGrown{{1, 2}, {1, 3}};
const Pair kEqual{{1, 2}, {1, 2}};
const Pair kSmaller{{1, 2}, {9, 1}};

TEST(Judge, TheNewerSnapshotTakesThePlace) {
  EXPECT_EQ(fold(kGrown), Fold::replaced);
  EXPECT_EQ(fold(kEqual), Fold::unchanged);
}

TEST(Judge, AnOlderOneThatCameLateIsDropped) {
  EXPECT_EQ(fold({{1, 3}, {1, 2}}, false), Fold::superseded);
  EXPECT_EQ(fold(kEqual, false), Fold::superseded);
}

TEST(Judge, ACounterThatGotSmallerKeepsBoth) {
  EXPECT_EQ(fold(kSmaller), Fold::kept);
  EXPECT_EQ(fold(kGrown, false), Fold::kept) << "the older one has more";
}

TEST(Judge, OfTwoThatWereWrittenAtOnceTheLargerOneStays) {
  const auto of = [](const Values& standing, const Values& appeared, bool newer) {
    return judge(counters(standing), counters(appeared), {newer, true}, Images::one).fold;
  };
  EXPECT_EQ(of({1, 5}, {1, 3}, true), Fold::superseded);
  EXPECT_EQ(of({1, 3}, {1, 5}, false), Fold::replaced);
  EXPECT_EQ(of({1, 3}, {1, 5}, true), Fold::replaced);
  EXPECT_EQ(of({2, 1}, {1, 2}, true), Fold::kept) << "neither holds all of the other";
}

TEST(Overlap, IsWhenTheCountersOfTheOneNamedFirstWereReadAfterTheOtherGotItsName) {
  constexpr std::int64_t kTick = 10'000'000;
  const auto at_once = [](std::int64_t older_read) {
    const auto first = static_cast<std::uint64_t>(kFirst);
    const auto second = static_cast<std::uint64_t>(kSecond);
    const bool one = overlap({.newest_ns = first, .read_ns = older_read, .seen = {}},
                             {.time_ns = second, .read_ns = kSecond, .memory = {}});
    EXPECT_EQ(overlap({.newest_ns = second, .read_ns = kSecond, .seen = {}},
                      {.time_ns = first, .read_ns = older_read, .memory = {}}),
              one);
    return one;
  };
  EXPECT_TRUE(at_once(kSecond + 1));
  EXPECT_TRUE(at_once(kSecond - kTick));
  EXPECT_FALSE(at_once(kSecond - kTick - 1));
}

TEST(Judge, AnotherImageKeepsBothWhateverTheCounters) {
  for (const Pair& pair : {kGrown, kEqual, kSmaller}) {
    EXPECT_EQ(fold(pair, true, Images::two), Fold::kept);
    EXPECT_EQ(fold(pair, false, Images::two), Fold::kept);
  }
}

TEST(Judge, AnotherProgramKeepsBoth) {
  coverage::Counters other = counters({1, 3});
  other.hash.fill('x');
  EXPECT_EQ(judge(counters({1, 2}), other, {}, Images::one).fold, Fold::kept);
}

TEST(Judge, ACounterThatWrappedIsSaidAndTheNewestStays) {
  const auto of = [](const Values& standing, const Values& appeared, bool newer) {
    return judge(counters(standing), counters(appeared), {newer}, Images::one);
  };
  const Judgement newer = of({4'000'000'000, 1}, {5, 1}, true);
  EXPECT_EQ(newer.fold, Fold::replaced);
  EXPECT_TRUE(newer.wrapped);
  const Judgement older = of({5, 1}, {4'000'000'000, 1}, false);
  EXPECT_EQ(older.fold, Fold::superseded);
  EXPECT_TRUE(older.wrapped);
  EXPECT_FALSE(of({1, 2}, {1, 3}, true).wrapped);
  EXPECT_FALSE(judge(counters({4'000'000'000}), counters({5}), {}, Images::two).wrapped)
      << "of two images it says nothing";
}

TEST(Judge, SmallerCountersAreCountedAnewUnlessOneImageClearedThem) {
  for (const Images images : {Images::one, Images::two, Images::open}) {
    const Judgement judgement = judge(counters({5, 1}), counters({2, 9}), {}, images);
    EXPECT_EQ(judgement.fold, Fold::kept);
    EXPECT_EQ(judgement.anew, images != Images::one);
    EXPECT_FALSE(judge(counters({5, 1}), counters({5, 2}), {}, images).anew);
  }
}

TEST(Judge, WhatWouldTakeAPlaceWaitsUntilTheImagesAreKnown) {
  EXPECT_EQ(judge(counters({5}), counters({6}), {}, Images::open).fold, Fold::undecided);
  EXPECT_EQ(judge(counters({5}), counters({5}), {}, Images::open).fold, Fold::undecided);
  EXPECT_EQ(judge(counters({5}), counters({4}), {}, Images::open).fold, Fold::kept);
}

TEST(Judge, WhatCannotBeParsedIsLeftAlone) {
  EXPECT_EQ(judge(counters({1}), std::nullopt, {}, Images::one).fold, Fold::unreadable);
  EXPECT_EQ(judge(std::nullopt, std::nullopt, {}, Images::one).fold, Fold::unreadable);
  EXPECT_EQ(judge(std::nullopt, counters({1}), {}, Images::one).fold, Fold::kept);
}

}  // namespace
}  // namespace integcov::supervise
