#include "supervise/record_keeper.h"

#include <gtest/gtest.h>

namespace integcov::supervise {
namespace {

using Names = std::vector<std::string>;

const std::string kHash = "0123456789abcdef0123456789abcdef";
const std::string kFirst = "covcounters." + kHash + ".7.100";
const std::string kSecond = "covcounters." + kHash + ".7.200";
const std::string kThird = "covcounters." + kHash + ".7.300";

EndOfRun end(const RecordKeeper& keeper) { return keeper.end(ExitStatus::exited(0), "memory"); }

// Of the only process.
Names objects(const RecordKeeper& keeper) {
  const EndOfRun all = end(keeper);
  EXPECT_EQ(all.processes.size(), 1U);
  return all.processes.empty() ? Names{} : all.processes[0].objects;
}

TEST(RecordKeeper, ARunWithoutCountersHasNoProcesses) {
  RecordKeeper keeper;
  const EndOfRun none = keeper.end(ExitStatus::killed_by(9), "off");
  EXPECT_TRUE(none.processes.empty());
  EXPECT_TRUE(none.complete);
  EXPECT_EQ(none.status, ExitStatus::killed_by(9));
  EXPECT_EQ(none.flush, "off");
}

TEST(RecordKeeper, AProcessHasTheOneNameThatItsCountersHave) {
  RecordKeeper keeper;
  for (int version = 0; version < 3; ++version) {
    keeper.saw(kFirst);
    keeper.sends(kFirst, kFirst);
    keeper.stored(kFirst);
  }
  EXPECT_EQ(objects(keeper), Names{kFirst});
  EXPECT_EQ(end(keeper).processes[0].pid, 7U);
  EXPECT_EQ(end(keeper).processes[0].hash, kHash);
}

TEST(RecordKeeper, WithoutAnUploadItIsTheFilesName) {
  RecordKeeper keeper;
  keeper.saw(kFirst);
  EXPECT_EQ(objects(keeper), Names{kFirst});
}

TEST(RecordKeeper, AddedSnapshotsAreListedTheNewestLast) {
  RecordKeeper keeper;
  keeper.saw(kFirst);
  for (const std::string& object : {kFirst, kSecond, kThird}) {
    keeper.sends(kFirst, object);
    EXPECT_FALSE(keeper.is_stored(kFirst));
    keeper.stored(kFirst);
    EXPECT_TRUE(keeper.is_stored(kFirst));
  }
  EXPECT_EQ(objects(keeper), (Names{kFirst, kSecond, kThird}));
}

TEST(RecordKeeper, WhatWasSentInVainHasNoName) {
  RecordKeeper keeper;
  keeper.saw(kFirst);
  keeper.sends(kFirst, kFirst);
  keeper.stored(kFirst);
  keeper.sends(kFirst, kSecond);
  keeper.sends(kFirst, kThird);
  EXPECT_EQ(objects(keeper), (Names{kFirst, kThird})) << "the last is under way";
  keeper.stored(kFirst);
  EXPECT_EQ(objects(keeper), (Names{kFirst, kThird}));
}

TEST(RecordKeeper, OfFilesThatItWasNotToldOfItKnowsNothing) {
  RecordKeeper keeper;
  keeper.sends(kFirst, kFirst);
  keeper.stored(kFirst);
  EXPECT_FALSE(keeper.is_stored(kFirst));
  EXPECT_TRUE(end(keeper).processes.empty());
}

TEST(RecordKeeper, BeyondItsBoundTheListIsNotComplete) {
  RecordKeeper keeper;
  const auto path = [](std::size_t pid) {
    return "covcounters." + kHash + '.' + std::to_string(pid) + ".1";
  };
  for (std::size_t pid = 0; pid < RecordKeeper::kMostProcesses; ++pid) keeper.saw(path(pid));
  keeper.saw(path(0));
  EXPECT_TRUE(end(keeper).complete);
  keeper.saw(path(RecordKeeper::kMostProcesses));
  EXPECT_FALSE(end(keeper).complete);
  EXPECT_EQ(end(keeper).processes.size(), RecordKeeper::kMostProcesses);
}

}  // namespace
}  // namespace integcov::supervise
