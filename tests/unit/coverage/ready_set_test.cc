#include "coverage/ready_set.h"

#include <gtest/gtest.h>

namespace integcov::coverage {
namespace {

using Scope = ReadySet::Scope;
using Stage = ReadySet::Stage;
using Paths = std::vector<std::string>;

const std::string kHash = "0123456789abcdef0123456789abcdef";
const std::string kOtherHash = "fedcba9876543210fedcba9876543210";
const std::string kMeta = "covmeta." + kHash;
const std::string kCounters = "covcounters." + kHash + ".7.100";

SeenFile seen(std::string path, std::uint64_t size = 10, std::int64_t mtime = 1, bool own = true) {
  return {{std::move(path), size, mtime}, own};
}

Paths paths(const std::vector<ReadyFile>& ready) {
  Paths result;
  for (const ReadyFile& file : ready) result.push_back(file.file.path);
  return result;
}

TEST(ReadySet, CoverageIsReadyAtOnceAndOnlyOnce) {
  ReadySet set(Scope::everything);
  EXPECT_EQ(paths(set.saw(seen(kMeta), Stage::running)), Paths{kMeta});
  EXPECT_EQ(paths(set.saw(seen(kMeta), Stage::running)), Paths{});
  const auto ready = set.saw(seen(kCounters), Stage::running);
  ASSERT_EQ(paths(ready), Paths{kCounters});
  EXPECT_EQ(ready[0].name.kind, FileKind::covcounters);
  EXPECT_EQ(ready[0].name.time_ns, 100U);
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
  for (const Stage stage : {Stage::running, Stage::ending, Stage::last_look}) {
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

TEST(ReadySet, BesideAnotherSupervisorOnlyOurDescendantsCountersCount) {
  ReadySet set(Scope::own_only);
  EXPECT_EQ(paths(set.saw(seen(kCounters, 10, 1, false), Stage::last_look)), Paths{});
  EXPECT_EQ(paths(set.saw(seen("app.log"), Stage::last_look)), Paths{});
  EXPECT_EQ(paths(set.saw(seen(kCounters), Stage::last_look)), Paths{kCounters});
}

TEST(ReadySet, BesideAnotherSupervisorOurCountersBringTheirCovmetaFirst) {
  ReadySet set(Scope::own_only);
  EXPECT_EQ(paths(set.saw(seen(kMeta), Stage::running)), Paths{});
  EXPECT_EQ(paths(set.saw(seen("covmeta." + kOtherHash), Stage::running)), Paths{});
  EXPECT_TRUE(set.covmeta_seen());
  EXPECT_EQ(paths(set.saw(seen(kCounters), Stage::running)), (Paths{kMeta, kCounters}));
  EXPECT_EQ(paths(set.saw(seen(kMeta), Stage::last_look)), Paths{});
}

TEST(ReadySet, BesideAnotherSupervisorACovmetaMayComeAfterOurCounters) {
  ReadySet set(Scope::own_only);
  EXPECT_EQ(paths(set.saw(seen(kCounters), Stage::running)), Paths{kCounters});
  EXPECT_EQ(paths(set.saw(seen(kMeta), Stage::running)), Paths{kMeta});
}

TEST(ReadySet, BesideAnotherSupervisorEachFoldersCovmetaComesAlong) {
  ReadySet set(Scope::own_only);
  EXPECT_EQ(paths(set.saw(seen("a/" + kMeta), Stage::running)), Paths{});
  EXPECT_EQ(paths(set.saw(seen("b/" + kMeta), Stage::running)), Paths{});
  EXPECT_EQ(paths(set.saw(seen("a/" + kCounters), Stage::running)),
            (Paths{"a/" + kMeta, "b/" + kMeta, "a/" + kCounters}));
}

}  // namespace
}  // namespace integcov::coverage
