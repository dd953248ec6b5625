#include "coverage/ready_set.h"

#include <gtest/gtest.h>

namespace integcov::coverage {
namespace {

using Scope = ReadySet::Scope;
using Stage = ReadySet::Stage;
using Paths = std::vector<std::string>;

const std::string kHash = "0123456789abcdef0123456789abcdef";
const std::string kMeta = "covmeta." + kHash;
const std::string kCounters = "covcounters." + kHash + ".7.100";

FileEntry seen(std::string path, std::uint64_t size = 10, std::int64_t mtime = 1) {
  return {std::move(path), size, mtime};
}

Paths paths(const std::optional<ReadyFile>& ready) {
  return ready ? Paths{ready->file.path} : Paths{};
}

TEST(ReadySet, CoverageIsReadyAtOnceAndOnlyOnce) {
  ReadySet set(Scope::everything);
  EXPECT_EQ(paths(set.saw(seen(kMeta), Stage::running)), Paths{kMeta});
  EXPECT_EQ(paths(set.saw(seen(kMeta), Stage::running)), Paths{});
  const auto ready = set.saw(seen(kCounters), Stage::running);
  ASSERT_EQ(paths(ready), Paths{kCounters});
  EXPECT_EQ(ready->name.kind, FileKind::covcounters);
  EXPECT_EQ(ready->name.time_ns, 100U);
  EXPECT_EQ(paths(set.saw(seen(kCounters), Stage::last_look)), Paths{});
}

TEST(ReadySet, AnyOtherFileWaitsForTheEnd) {
  ReadySet set(Scope::everything);
  EXPECT_EQ(paths(set.saw(seen("app.log"), Stage::running)), Paths{});
  EXPECT_EQ(paths(set.saw(seen("app.log"), Stage::ending)), Paths{"app.log"});
  EXPECT_EQ(paths(set.saw(seen("app.log"), Stage::last_look)), Paths{});
}

TEST(ReadySet, TemporaryAndControlFilesAreNeverReady) {
  ReadySet set(Scope::everything);
  for (const Stage stage : {Stage::running, Stage::ending, Stage::last_look, Stage::late}) {
    EXPECT_EQ(paths(set.saw(seen("tmp." + kMeta), stage)), Paths{});
    EXPECT_EQ(paths(set.saw(seen(".integcov/" + kMeta), stage)), Paths{});
  }
  EXPECT_FALSE(set.covmeta_seen());
}

TEST(ReadySet, AChangedFileIsReadyAgain) {
  ReadySet set(Scope::everything);
  EXPECT_EQ(paths(set.saw(seen(kCounters, 10, 1), Stage::running)), Paths{kCounters});
  EXPECT_EQ(paths(set.saw(seen(kCounters, 11, 1), Stage::running)), Paths{kCounters});
  EXPECT_EQ(paths(set.saw(seen(kCounters, 11, 2), Stage::running)), Paths{kCounters});
}

TEST(ReadySet, GoRenamingAnEqualCovmetaOverItselfIsNoNews) {
  ReadySet set(Scope::everything);
  EXPECT_EQ(paths(set.saw(seen(kMeta, 10, 1), Stage::running)), Paths{kMeta});
  EXPECT_EQ(paths(set.saw(seen(kMeta, 10, 2), Stage::running)), Paths{});
  EXPECT_EQ(paths(set.saw(seen(kMeta, 12, 3), Stage::running)), Paths{kMeta});
}

TEST(ReadySet, WhatAnOrphanGoesOnWritingIsReadyOnceMoreAtTheLastLook) {
  ReadySet set(Scope::everything);
  EXPECT_EQ(paths(set.saw(seen("app.log", 10), Stage::ending)), Paths{"app.log"});
  EXPECT_EQ(paths(set.saw(seen("app.log", 20), Stage::last_look)), Paths{"app.log"});
}

TEST(ReadySet, AFileThatNeverRestsDoesNotKeepUs) {
  ReadySet set(Scope::everything);
  EXPECT_EQ(paths(set.saw(seen("app.log", 10), Stage::last_look)), Paths{"app.log"});
  EXPECT_EQ(paths(set.saw(seen("app.log", 20), Stage::last_look)), Paths{});
  EXPECT_EQ(paths(set.saw(seen("app.log", 30), Stage::last_look)), Paths{});
}

TEST(ReadySet, LeftoversThatAnEarlierRunUploadedStay) {
  ReadySet set(Scope::everything);
  set.already_uploaded({kCounters, 10, 1});
  EXPECT_EQ(paths(set.saw(seen(kCounters, 10, 1), Stage::running)), Paths{});
  EXPECT_EQ(paths(set.saw(seen(kCounters, 10, 2), Stage::running)), Paths{kCounters});
}

TEST(ReadySet, ACovmetaThatAnEarlierRunUploadedIsSeenAllTheSame) {
  ReadySet set(Scope::everything);
  set.already_uploaded({kMeta, 10, 1});
  EXPECT_FALSE(set.covmeta_seen());
  EXPECT_EQ(paths(set.saw(seen(kMeta, 10, 1), Stage::running)), Paths{});
  EXPECT_TRUE(set.covmeta_seen());
}

TEST(ReadySet, InACarelessFolderOnlyCoverageCounts) {
  ReadySet set(Scope::coverage_only);
  EXPECT_EQ(paths(set.saw(seen("id_rsa"), Stage::last_look)), Paths{});
  EXPECT_EQ(paths(set.saw(seen(kMeta), Stage::running)), Paths{kMeta});
  EXPECT_EQ(paths(set.saw(seen("sub/" + kCounters), Stage::running)), Paths{"sub/" + kCounters});
}

TEST(ReadySet, AfterTheLastLookOnlyCoverageIsTaken) {
  ReadySet set(Scope::everything);
  EXPECT_EQ(paths(set.saw(seen("app.log"), Stage::late)), Paths{});
  EXPECT_EQ(paths(set.saw(seen(kCounters), Stage::late)), Paths{kCounters});
  EXPECT_EQ(paths(set.saw(seen(kCounters, 20), Stage::late)), Paths{});
}

TEST(ReadySet, WhatIsOlderThanTheRunIsNotOfTheRun) {
  ReadySet set(Scope::everything, 100);
  EXPECT_EQ(paths(set.saw(seen(kMeta, 10, 99), Stage::running)), Paths{kMeta});
  EXPECT_EQ(paths(set.saw(seen(kCounters, 10, 99), Stage::running)), Paths{kCounters});
  EXPECT_FALSE(set.covmeta_seen());
  EXPECT_FALSE(set.counters_seen());
  set.saw(seen(kMeta, 10, 100), Stage::running);
  EXPECT_TRUE(set.covmeta_seen());
  EXPECT_FALSE(set.counters_seen());
  set.saw(seen("covcounters." + kHash + ".8.200", 10, 100), Stage::running);
  EXPECT_TRUE(set.counters_seen());
}

TEST(ReadySet, ThatAnEarlierRunStoredAnotherVersionIsTold) {
  ReadySet set(Scope::everything);
  set.already_uploaded({kCounters, 10, 1});
  const auto changed = set.saw(seen(kCounters, 10, 2), Stage::running);
  const auto unknown = set.saw(seen(kMeta), Stage::running);
  ASSERT_TRUE(changed && unknown);
  EXPECT_TRUE(changed->stored_before);
  EXPECT_FALSE(unknown->stored_before);
}

TEST(ReadySet, WhatWeChangedOurselvesIsNoNews) {
  ReadySet set(Scope::everything);
  set.saw(seen(kCounters, 10, 1), Stage::running);
  set.changed(seen(kCounters, 12, 2), Stage::running);
  EXPECT_EQ(paths(set.saw(seen(kCounters, 12, 2), Stage::running)), Paths{});
  EXPECT_EQ(paths(set.saw(seen(kCounters, 12, 3), Stage::running)), Paths{kCounters});
}

TEST(ReadySet, WhatWeRemovedIsNewsWhenItComesAgain) {
  ReadySet set(Scope::everything);
  set.saw(seen(kCounters), Stage::last_look);
  EXPECT_EQ(paths(set.saw(seen(kCounters), Stage::last_look)), Paths{});
  set.removed(kCounters);
  EXPECT_EQ(paths(set.saw(seen(kCounters), Stage::last_look)), Paths{kCounters});
  set.removed("never seen");
}

TEST(ReadySet, ARecordIsReadyAtOnceEvenInACarelessFolderAndAtTheVeryEnd) {
  const std::string record = "integcov." + kHash + ".end.json";
  for (const Stage stage : {Stage::running, Stage::ending, Stage::last_look, Stage::late}) {
    ReadySet set(Scope::coverage_only);
    EXPECT_EQ(paths(set.saw(seen(record), stage)), Paths{record});
    EXPECT_EQ(paths(set.saw(seen(record), stage)), Paths{});
    EXPECT_FALSE(set.covmeta_seen() || set.counters_seen());
  }
}

}  // namespace
}  // namespace integcov::coverage
