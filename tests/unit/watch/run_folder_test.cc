#include "watch/run_folder.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "unit/watch/temporary_folder.h"
#include "watch/control_folder.h"
#include "watch/folder.h"

namespace integcov::watch {
namespace {

using Text = ControlFolder::Text;

std::vector<std::string> names(const std::string& folder) {
  std::vector<std::string> result;
  const auto listing = list_folder(folder, true);
  for (const FileEntry& file : listing->files) result.push_back(file.path);
  std::ranges::sort(result);
  return result;
}

const std::string kMeta = "covmeta.0123456789abcdef0123456789abcdef";

TEST(RunFolder, IsInTheControlFolderAndOurs) {
  const TemporaryFolder dir;
  EXPECT_FALSE(make_run_folder(dir.path(), "a"));  // nobody has made .integcov
  const ControlFolder control(dir.path());
  const auto run = make_run_folder(dir.path(), "a");
  ASSERT_TRUE(run);
  EXPECT_EQ(run->path, dir.path() + "/.integcov/run-a");
  EXPECT_EQ(run->control.lock(), ControlFolder::Lock::held);
  EXPECT_EQ(ControlFolder(run->path).lock(), ControlFolder::Lock::taken);
  EXPECT_FALSE(make_run_folder(dir.path(), "a"));
}

// Of a run that has ended well.
std::string ended_run(const TemporaryFolder& dir, const std::string& id) {
  auto run = make_run_folder(dir.path(), id);
  EXPECT_TRUE(run);
  run->control.note_end();
  return run->path;
}

TEST(RunFolder, WhatAnEndedRunLeftIsMovedUp) {
  const TemporaryFolder dir;
  const ControlFolder control(dir.path());
  dir.file(kMeta);
  std::string path;
  {
    auto run = make_run_folder(dir.path(), "a");
    ASSERT_TRUE(run);
    path = run->path;
    EXPECT_TRUE(run->control.begin(Text::ledger, "ledger of a"));
    dir.file(".integcov/run-a/" + kMeta);
    dir.folder(".integcov/run-a/sub");
    dir.file(".integcov/run-a/sub/covcounters.x");
    dir.file(".integcov/run-a/app.log");
    EXPECT_EQ(adopt_run_folders(dir.path()).ledgers, std::vector<std::string>{}) << "it goes on";
    EXPECT_EQ(names(dir.path()), std::vector<std::string>{kMeta});
    run->control.note_end();
  }
  EXPECT_EQ(adopt_run_folders(dir.path()).ledgers, std::vector<std::string>{"ledger of a"});
  EXPECT_EQ(names(dir.path()), (std::vector<std::string>{"app.log", kMeta, "sub/covcounters.x"}));
  EXPECT_FALSE(list_folder(path, false)) << "the empty folder stays";
}

TEST(RunFolder, AFolderWhoseProgramMayGoOnStays) {
  const TemporaryFolder dir;
  const ControlFolder control(dir.path());
  const std::string path = make_run_folder(dir.path(), "a")->path;  // killed
  dir.file(".integcov/run-a/app.log");
  adopt_run_folders(dir.path());
  EXPECT_EQ(names(dir.path()), std::vector<std::string>{"app.log"});
  EXPECT_TRUE(list_folder(path, false));
}

TEST(RunFolder, OneThatIsToBeLeftAloneIs) {
  const TemporaryFolder dir;
  const ControlFolder control(dir.path());
  const std::string path = ended_run(dir, "a");
  dir.file(".integcov/run-a/app.log");
  adopt_run_folders(dir.path(), [&](const std::string& folder, const ControlFolder& run) {
    EXPECT_EQ(folder, path);
    EXPECT_EQ(run.lock(), ControlFolder::Lock::held);
    return false;
  });
  EXPECT_EQ(names(path), std::vector<std::string>{"app.log"});
}

TEST(RunFolder, NothingIsOverwrittenOrDeleted) {
  const TemporaryFolder dir;
  const ControlFolder control(dir.path());
  dir.file("app.log");
  const std::string run = ended_run(dir, "a");
  dir.file(".integcov/run-a/app.log");
  adopt_run_folders(dir.path());
  EXPECT_EQ(names(run), std::vector<std::string>{"app.log"});
}

TEST(RunFolder, AFolderIsNeverTakenForACovmeta) {
  const TemporaryFolder dir;
  const ControlFolder control(dir.path());
  dir.file(kMeta);
  const std::string run = ended_run(dir, "a");
  dir.folder(".integcov/run-a/" + kMeta);
  dir.file(".integcov/run-a/" + kMeta + "/kept");
  adopt_run_folders(dir.path());
  EXPECT_EQ(names(run), std::vector<std::string>{kMeta + "/kept"});
}

TEST(RunFolder, ARunBelowAnotherIsKept) {
  const TemporaryFolder dir;
  const ControlFolder control(dir.path());
  const std::string run = ended_run(dir, "a");
  const std::string below = make_run_folder(run, "b")->path;
  dir.file(".integcov/run-a/.integcov/run-b/app.log");
  adopt_run_folders(dir.path());
  EXPECT_EQ(names(below), std::vector<std::string>{"app.log"});
}

TEST(RunFolder, SymbolicLinksAreNotFollowed) {
  const TemporaryFolder dir;
  dir.folder("elsewhere");
  dir.file("elsewhere/app.log");
  dir.folder("cov");
  const ControlFolder control(dir.path("cov"));
  fs::create_directory_symlink(dir.path("elsewhere"), dir.path("cov/.integcov/run-a"));
  EXPECT_EQ(adopt_run_folders(dir.path("cov")).ledgers, std::vector<std::string>{});
  EXPECT_EQ(names(dir.path("elsewhere")), std::vector<std::string>{"app.log"});

  dir.folder("other/run-b");
  dir.file("other/run-b/app.log");
  dir.folder("bare");
  fs::create_directory_symlink(dir.path("other"), dir.path("bare/.integcov"));
  EXPECT_EQ(adopt_run_folders(dir.path("bare")).ledgers, std::vector<std::string>{});
  EXPECT_EQ(names(dir.path("other")), std::vector<std::string>{"run-b/app.log"});
}

}  // namespace
}  // namespace integcov::watch
