#include "watch/control_folder.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <iterator>
#include <optional>

#include "unit/watch/temporary_folder.h"

namespace integcov::watch {
namespace {

using Lock = ControlFolder::Lock;
using Text = ControlFolder::Text;

std::string text_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(ControlFolder, IsMadeForTheUserAlone) {
  const TemporaryFolder dir;
  const ControlFolder control(dir.path());
  EXPECT_EQ(control.lock(), Lock::held);
  struct stat info{};
  ASSERT_EQ(stat(dir.path(".integcov").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0700U);
}

TEST(ControlFolder, ASecondOneFindsItTakenUntilTheFirstIsGone) {
  const TemporaryFolder dir;
  {
    const ControlFolder first(dir.path());
    EXPECT_EQ(ControlFolder(dir.path()).lock(), Lock::taken);
  }
  EXPECT_EQ(ControlFolder(dir.path()).lock(), Lock::held);
}

TEST(ControlFolder, AnotherProcessHoldsItUntilItsDeathEvenBySigkill) {
  const TemporaryFolder dir;
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
  const pid_t other = fork();
  if (other == 0) {
    const ControlFolder control(dir.path());
    const char held = control.lock() == Lock::held ? 'y' : 'n';
    if (write(ends[1], &held, 1) != 1) _exit(1);
    while (true) pause();
  }
  char held = 0;
  ASSERT_EQ(read(ends[0], &held, 1), 1);
  EXPECT_EQ(held, 'y');
  EXPECT_EQ(ControlFolder(dir.path()).lock(), Lock::taken);
  kill(other, SIGKILL);
  waitpid(other, nullptr, 0);
  EXPECT_EQ(ControlFolder(dir.path()).lock(), Lock::held);
  close(ends[0]);
  close(ends[1]);
}

TEST(ControlFolder, TheLedgerIsReplacedAndAppendedTo) {
  const TemporaryFolder dir;
  {
    ControlFolder control(dir.path());
    EXPECT_EQ(control.read(Text::ledger), "");
    control.append(Text::ledger, "too early\n");
    EXPECT_TRUE(control.begin(Text::ledger, "head\n"));
    control.append(Text::ledger, "one\n");
    control.append(Text::ledger, "two\n");
    EXPECT_EQ(control.read(Text::ledger), "head\none\ntwo\n");
    EXPECT_TRUE(control.begin(Text::ledger, "new\n"));
    control.append(Text::ledger, "three\n");
  }
  EXPECT_EQ(ControlFolder(dir.path()).read(Text::ledger), "new\nthree\n");
  EXPECT_FALSE(fs::exists(dir.path(".integcov/uploaded.new")));
}

TEST(ControlFolder, WithoutTheLockTheLedgerIsNotTouched) {
  const TemporaryFolder dir;
  ControlFolder first(dir.path());
  ASSERT_TRUE(first.begin(Text::ledger, "first\n"));
  ControlFolder second(dir.path());
  EXPECT_FALSE(second.begin(Text::ledger, "second\n"));
  second.append(Text::ledger, "line\n");
  EXPECT_EQ(first.read(Text::ledger), "first\n");
}

TEST(ControlFolder, WhereNothingCanBeMadeThereIsNoLock) {
  const TemporaryFolder dir;
  ControlFolder missing(dir.path("gone"));
  EXPECT_EQ(missing.lock(), Lock::unavailable);
  EXPECT_EQ(missing.read(Text::ledger), "");
  EXPECT_FALSE(missing.begin(Text::ledger, "x"));
  missing.append(Text::ledger, "x");

  dir.file(".integcov");  // a file in its place
  EXPECT_EQ(ControlFolder(dir.path()).lock(), Lock::unavailable);
}

TEST(ControlFolder, AReadOnlyFileSystemOrFolderGivesNoLock) {
  EXPECT_EQ(ControlFolder("/proc/self").lock(), Lock::unavailable);
}

TEST(ControlFolder, ASymbolicLinkInItsPlaceIsNotFollowed) {
  const TemporaryFolder dir;
  const TemporaryFolder elsewhere;
  fs::create_directory_symlink(elsewhere.path(), dir.path(".integcov"));
  EXPECT_EQ(ControlFolder(dir.path()).lock(), Lock::unavailable);
  EXPECT_TRUE(fs::is_empty(elsewhere.path()));
}

TEST(ControlFolder, WhatSomebodyPutInTheLedgersPlaceNeitherBlocksNorIsOverwritten) {
  const TemporaryFolder dir;
  dir.folder(".integcov");
  dir.file("precious", "keep");
  fs::create_hard_link(dir.path("precious"), dir.path(".integcov/uploaded.new"));
  ControlFolder control(dir.path());
  EXPECT_TRUE(control.begin(Text::ledger, "head\n"));
  EXPECT_EQ(text_of(dir.path("precious")), "keep");

  ASSERT_EQ(mkfifo(dir.path(".integcov/uploaded.new").c_str(), 0600), 0);
  EXPECT_TRUE(control.begin(Text::ledger, "again\n"));
  EXPECT_EQ(control.read(Text::ledger), "again\n");
  fs::remove(dir.path(".integcov/uploaded"));
  ASSERT_EQ(mkfifo(dir.path(".integcov/uploaded").c_str(), 0600), 0);
  EXPECT_EQ(control.read(Text::ledger), "");
}

TEST(ControlFolder, ATextIsRemovedAndAnEndIsNoted) {
  const TemporaryFolder dir;
  ControlFolder control(dir.path());
  EXPECT_TRUE(control.remove(Text::writers)) << "there is none";
  EXPECT_TRUE(control.begin(Text::writers, "a\n"));
  EXPECT_TRUE(control.remove(Text::writers));
  control.append(Text::writers, "b\n");
  EXPECT_EQ(control.read(Text::writers), "");
  EXPECT_FALSE(control.has_ended());
  ControlFolder(dir.path()).note_end();
  EXPECT_FALSE(control.has_ended()) << "of another one that has no lock";
  control.note_end();
  EXPECT_TRUE(control.has_ended());
}

}  // namespace
}  // namespace integcov::watch
