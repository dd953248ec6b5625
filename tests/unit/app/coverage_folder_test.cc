#include "app/coverage_folder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <span>

#include "app/snapshot_files.h"
#include "config/storage_url.h"
#include "coverage/counters.h"
#include "supervise/writer_notes.h"
#include "unit/watch/temporary_folder.h"
#include "watch/folder.h"
#include "watch/run_folder.h"

namespace integcov::app {
namespace {

namespace fs = std::filesystem;
using Lock = watch::ControlFolder::Lock;
using Text = watch::ControlFolder::Text;

const std::string kHash = "30313233343536373839616263646566";

class CoverageFolderTest : public ::testing::Test {
 protected:
  CoverageFolderTest() {
    config_.coverdir = dir_.path();
    log_.set_style({.lowest = Severity::error, .json = false, .color = false, .labels = {}});
  }
  void uploads() { config_.storage = config::FolderLocation{dir_.path("storage")}; }
  CoverageFolder take(const std::string& run = "a") { return take_folder(config_, run, log_); }

  // A counters file of pid 1 with that counter, written in that second.
  std::string counters(const std::string& folder, int second, std::uint32_t count) {
    coverage::Counters content;
    content.add(0, 0, std::span(&count, 1));
    const std::string name = name_of(second);
    EXPECT_TRUE(watch::write_file(folder, name, coverage::write_counters(content), 0600));
    return name;
  }
  static std::string name_of(int second) {
    return "covcounters." + kHash + ".1." + std::to_string(second) + "000000000";
  }
  // An image of the program starts in the folder, and is seen.
  static std::string note_of_writer(const std::string& folder, const std::string& standing) {
    EXPECT_TRUE(watch::write_file(folder, "covmeta." + kHash, "", 0600));
    return supervise::writer_note({standing, meta_stamp(folder, kHash)});
  }
  std::vector<std::string> counters_files() {
    std::vector<std::string> names;
    const auto listing = watch::list_folder(dir_.path(), false);
    for (const FileEntry& file : listing->files) {
      if (file.path.starts_with("covcounters.")) names.push_back(file.path);
    }
    std::ranges::sort(names);
    return names;
  }

  watch::TemporaryFolder dir_;
  config::Config config_;
  StderrLog log_;
};

TEST_F(CoverageFolderTest, IsHeldForOneRun) {
  const CoverageFolder folder = take();
  EXPECT_EQ(folder.path, dir_.path());
  ASSERT_TRUE(folder.control);
  EXPECT_EQ(folder.control->lock(), Lock::held);
  EXPECT_FALSE(folder.own);
  EXPECT_FALSE(folder.shared);
}

TEST_F(CoverageFolderTest, IsMadeWhereItIsNot) {
  config_.coverdir = dir_.path("not/there");
  EXPECT_TRUE(take().writable);
  EXPECT_TRUE(fs::is_directory(config_.coverdir));
}

TEST_F(CoverageFolderTest, IsOfNoUseToTheProgramWhereItCannotBeMade) {
  dir_.file("file");
  config_.coverdir = dir_.path("file/below");
  const CoverageFolder folder = take();
  EXPECT_FALSE(folder.writable);
  EXPECT_EQ(folder.path, config_.coverdir);
}

TEST_F(CoverageFolderTest, ASecondRunHasAFolderOfItsOwnWithAndWithoutAStorage) {
  const CoverageFolder first = take("a");
  for (const char* run : {"b", "c"}) {
    const CoverageFolder second = take(run);
    EXPECT_EQ(second.path, dir_.path(".integcov/run-" + std::string(run)));
    EXPECT_TRUE(second.own);
    EXPECT_FALSE(second.shared);
    ASSERT_TRUE(second.control);
    EXPECT_EQ(second.control->lock(), Lock::held);
    uploads();
  }
}

TEST_F(CoverageFolderTest, IsSharedWhereNoneCanBeHeld) {
  dir_.file(".integcov");
  EXPECT_TRUE(take().shared);
  fs::remove(dir_.path(".integcov"));
  const CoverageFolder first = take("a");
  dir_.folder(".integcov/run-b");
  const CoverageFolder second = take("b");
  EXPECT_TRUE(second.shared) << "its own can't be made";
  EXPECT_EQ(second.path, dir_.path());
}

TEST_F(CoverageFolderTest, LeftoversAreSettledOnceAndOnlyAmongTheirRun) {
  {
    watch::ControlFolder earlier(dir_.path());
    counters(dir_.path(), 1, 5);
    counters(dir_.path(), 2, 6);
    earlier.begin(Text::writers, note_of_writer(dir_.path(), name_of(1)));
    auto run = watch::make_run_folder(dir_.path(), "x");
    ASSERT_TRUE(run);
    counters(run->path, 3, 10);
    counters(run->path, 4, 11);
    run->control.begin(Text::writers, note_of_writer(run->path, name_of(3)));
    run->control.begin(Text::ledger, "of x");
  }
  const CoverageFolder folder = take();
  EXPECT_EQ(counters_files(), (std::vector{name_of(1), name_of(3)}))
      << "the same pid in two runs is two processes";
  EXPECT_EQ(folder.ledgers, std::vector<std::string>{"of x"});
  EXPECT_EQ(folder.control->read(Text::writers), "");
}

TEST_F(CoverageFolderTest, TheLastRunInTheFolderGathersTheOthersFiles) {
  CoverageFolder first = take("a");
  CoverageFolder second = take("b");
  const std::string own = second.path;
  counters(own, 1, 5);
  leave_folder(std::move(second), config_, log_);
  EXPECT_TRUE(counters_files().empty()) << "the first goes on";
  leave_folder(std::move(first), config_, log_);
  EXPECT_EQ(counters_files(), std::vector{name_of(1)});
  EXPECT_FALSE(fs::exists(own));
}

TEST_F(CoverageFolderTest, WhatIsGatheredIsNeverTakenForALaterSnapshotOfWhatIsThere) {
  CoverageFolder first = take("a");
  counters(first.path, 1, 5);
  first.control->begin(Text::writers, note_of_writer(first.path, name_of(1)));
  CoverageFolder second = take("b");
  counters(second.path, 2, 6);
  leave_folder(std::move(second), config_, log_);
  leave_folder(std::move(first), config_, log_);
  take("c");
  EXPECT_EQ(counters_files(), (std::vector{name_of(1), name_of(2)}));
}

TEST_F(CoverageFolderTest, TheFolderOfAProgramThatWasLeftAloneStays) {
  CoverageFolder first = take("a");
  std::string own;
  {
    const CoverageFolder second = take("b");  // its supervisor is killed
    own = second.path;
    counters(own, 1, 5);
  }
  leave_folder(std::move(first), config_, log_);
  EXPECT_EQ(counters_files(), std::vector{name_of(1)});
  EXPECT_TRUE(fs::exists(own));
  counters(own, 2, 6);
  leave_folder(take("c"), config_, log_);
  EXPECT_EQ(counters_files(), (std::vector{name_of(1), name_of(2)}));
}

TEST_F(CoverageFolderTest, ARunThatUploadsKeepsItsFilesForTheNextOne) {
  CoverageFolder first = take("a");
  CoverageFolder second = take("b");
  counters(second.path, 1, 5);
  second.control->begin(Text::ledger, "something went up");
  leave_folder(std::move(second), config_, log_);
  leave_folder(std::move(first), config_, log_);
  EXPECT_TRUE(counters_files().empty());
  EXPECT_EQ(take("c").ledgers, std::vector<std::string>{"something went up"});
  EXPECT_EQ(counters_files(), std::vector{name_of(1)});
}

}  // namespace
}  // namespace integcov::app
