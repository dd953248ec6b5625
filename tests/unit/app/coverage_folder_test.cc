#include "app/coverage_folder.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <span>

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
  void no_snapshots() { config_.flush.mode = config::FlushMode::off; }
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
  // An image of the program has started in the folder, before the first second.
  static std::string note_of_writer(const std::string& folder, const std::string& standing) {
    const std::string meta = folder + "/covmeta." + kHash;
    EXPECT_TRUE(watch::write_file(folder, "covmeta." + kHash, "", 0600));
    const timespec begin{};
    const std::array times{begin, begin};
    EXPECT_EQ(utimensat(AT_FDCWD, meta.c_str(), times.data(), 0), 0);
    struct stat info{};
    EXPECT_EQ(stat(meta.c_str(), &info), 0);
    return supervise::writer_note({standing, {.inode = info.st_ino, .mtime_ns = 0}});
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

TEST_F(CoverageFolderTest, IsLeftAloneIfNothingIsDoneWithItsFiles) {
  no_snapshots();
  const CoverageFolder folder = take();
  EXPECT_FALSE(folder.control);
  EXPECT_TRUE(folder.shared);
  EXPECT_FALSE(fs::exists(dir_.path(".integcov")));
  uploads();
  EXPECT_TRUE(take().control);
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
    const std::string run = *watch::make_run_folder(dir_.path(), "x");
    watch::ControlFolder other(run);
    counters(run, 3, 10);
    counters(run, 4, 11);
    other.begin(Text::writers, note_of_writer(run, name_of(3)));
    other.begin(Text::ledger, "of x");
  }
  const CoverageFolder folder = take();
  EXPECT_EQ(counters_files(), (std::vector{name_of(1), name_of(3)}))
      << "the same pid in two runs is two processes";
  EXPECT_EQ(folder.ledgers, std::vector<std::string>{"of x"});
  EXPECT_EQ(folder.control->read(Text::writers), "");
}

TEST_F(CoverageFolderTest, TheLastRunInTheFolderGathersTheOthersFiles) {
  {
    const CoverageFolder first = take("a");
    {
      const CoverageFolder second = take("b");
      counters(second.path, 1, 5);
    }
    gather_runs(dir_.path(), log_);
    EXPECT_TRUE(counters_files().empty()) << "the first goes on";
  }
  gather_runs(dir_.path(), log_);
  EXPECT_EQ(counters_files(), std::vector{name_of(1)});
  EXPECT_FALSE(fs::exists(dir_.path(".integcov/run-b")));
}

}  // namespace
}  // namespace integcov::app
