// Snapshots from outside of real Go programs.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include "process/identity.h"
#include "snapshots/own_file.h"

namespace integcov::test {
namespace {

using app::MemorySnapshots;
using app::Taken;
using coverage::Counters;
using coverage::Growth;

std::string program(const std::string& name, const std::string& folder = "atomic") {
  return std::string(INTEGCOV_PROGRAMS) + '/' + folder + '/' + name;
}

std::string written(const Taken& taken) {
  EXPECT_TRUE(std::holds_alternative<app::Written>(taken)) << described(taken);
  const auto* file = std::get_if<app::Written>(&taken);
  return file == nullptr ? "" : file->name;
}

class Builds : public testing::TestWithParam<const char*> {};

TEST_P(Builds, AreReadAsTheyWriteThemselves) {
  Fed fed(program("snapshots", GetParam()));
  MemorySnapshots snapshots(fed.folder());
  fed.feed("xyz");
  const Counters first = counters_in(fed.folder() / written(snapshots.take(fed.program().pid())));
  EXPECT_EQ(described(snapshots.take(fed.program().pid())), "unchanged");
  fed.feed("aeiou");
  const std::string name = written(snapshots.take(fed.program().pid()));
  EXPECT_EQ(described(snapshots.take(fed.program().pid())), "unchanged");

  const std::string own_name = fed.end();
  const Counters ours = counters_in(fed.folder() / name);
  const Counters own = counters_in(fed.folder() / own_name);
  EXPECT_EQ(ours.hash, own.hash);
  EXPECT_EQ(ours.args, own.args);
  EXPECT_EQ(ours.functions, own.functions);
  EXPECT_EQ(ours.values, own.values);
  EXPECT_EQ(compare(first, ours), Growth::grown);
  EXPECT_EQ(profile_of(fed.folder(), name), profile_of(fed.folder(), own_name));
  EXPECT_LT(name, own_name);  // the times in the names are in order
}

// So that a supervisor that is killed just then leaves no file whose writer isn't noted.
TEST(Snapshots, OfAnImageTheFirstIsAnnouncedBeforeItIsThere) {
  Fed fed(program("snapshots"));
  fed.feed("one");
  MemorySnapshots snapshots(fed.folder());
  std::vector<std::string> announced;
  const auto take = [&] {
    return written(snapshots.take(fed.program().pid(), [&](const app::Written& file) {
      EXPECT_FALSE(std::filesystem::exists(fed.folder() / file.name));
      EXPECT_TRUE(file.seen.exact);
      EXPECT_NE(file.seen.meta.inode, 0U);
      announced.push_back(file.name);
    }));
  };
  const std::string first = take();
  EXPECT_TRUE(std::filesystem::exists(fed.folder() / first));
  fed.feed("two");
  EXPECT_NE(take(), first);
  EXPECT_EQ(announced, std::vector{first});
}

INSTANTIATE_TEST_SUITE_P(Snapshots, Builds,
                         testing::Values("set", "count", "atomic", "stripped", "pie",
                                         "pie_stripped"),
                         [](const auto& build) { return std::string(build.param); });

TEST(Snapshots, AStoppedProgramIsReadToo) {
  Fed fed(program("snapshots"));
  fed.feed("hello");
  fed.program().send(SIGSTOP);
  MemorySnapshots snapshots(fed.folder());
  EXPECT_NE(written(snapshots.take(fed.program().pid())), "");
  fed.program().send(SIGCONT);
  fed.end();
}

// Counts 30,000,000 times in each of two goroutines while it is read again and again.
class Counting : public testing::TestWithParam<const char*> {};

TEST_P(Counting, NoCounterEverGetsSmaller) {
  const TempDir folder;
  Process counts({program("counts", GetParam()), "-goroutines=2"},
                 {.env = {{"GOCOVERDIR", folder.path().string()}}, .keep_stdin_open = true});
  MemorySnapshots snapshots(folder.path());
  Counters before;
  int files = 0;
  const auto take = [&] {
    const Taken taken = snapshots.take(counts.pid());
    ASSERT_FALSE(std::holds_alternative<app::Failed>(taken)) << described(taken);
    const auto* file = std::get_if<app::Written>(&taken);
    if (file == nullptr) return;
    const Counters now = counters_in(folder / file->name);
    std::filesystem::remove(folder / file->name);
    if (files++ > 0) {
      EXPECT_EQ(compare(before, now), Growth::grown);
    }
    before = now;
  };
  while (counts.out() != "done\n" && counts.running()) take();
  take();
  EXPECT_GT(files, 0);
  counts.close_stdin();
  EXPECT_EQ(counts.wait().code, 0);
  const auto names = counters_files(folder.path());
  ASSERT_EQ(names.size(), 1U);
  const Counters own = counters_in(folder / names[0]);
  if (std::string(GetParam()) == "count") {
    // Go's own counters are not exact then: two goroutines count over each other.
    EXPECT_NE(compare(own, before), Growth::smaller);
    return;
  }
  EXPECT_EQ(compare(before, own), Growth::equal);
  const std::uint32_t most = *std::ranges::max_element(own.values);
  EXPECT_EQ(most, std::string(GetParam()) == "set" ? 1U : 60'000'000U);
}

INSTANTIATE_TEST_SUITE_P(Snapshots, Counting, testing::Values("set", "count", "atomic"),
                         [](const auto& mode) { return std::string(mode.param); });

// From before its first instruction to its end: whatever is written, Go reads, and the program's
// own file has at least as much. It ends only when one was written, however slow the machine.
TEST(Snapshots, OfAProgramThatStartsAndEndsAreRightOrNone) {
  for (int round = 0; round < 40; ++round) {
    const TempDir folder;
    MemorySnapshots snapshots(folder.path());
    Process started({program("snapshots")},
                    {.env = {{"GOCOVERDIR", folder.path().string()}}, .keep_stdin_open = true});
    std::vector<std::string> names;
    while (started.running()) {
      const Taken taken = snapshots.take(started.pid());
      ASSERT_FALSE(std::holds_alternative<app::Failed>(taken)) << described(taken);
      const auto* file = std::get_if<app::Written>(&taken);
      if (file == nullptr) continue;
      if (names.empty()) started.close_stdin();
      names.push_back(file->name);
    }
    EXPECT_EQ(started.wait().code, 0);
    ASSERT_FALSE(names.empty());
    const auto all = counters_files(folder.path());
    ASSERT_EQ(all.size(), names.size() + 1);
    const auto own = std::ranges::find_if(
        all, [&](const auto& name) { return std::ranges::find(names, name) == names.end(); });
    for (const std::string& name : names) {
      const Growth growth = compare(counters_in(folder / name), counters_in(folder / *own));
      EXPECT_TRUE(growth == Growth::grown || growth == Growth::equal) << name;
    }
    profile_of(folder.path(), names.front());
  }
}

TEST(Snapshots, ADescendantIsReadAndItsShellIsNot) {
  const TempDir folder;
  Process shell({"/bin/sh", "-c", program("snapshots") + "; true"},
                {.env = {{"GOCOVERDIR", folder.path().string()}}, .keep_stdin_open = true});
  shell.feed("hello\n");
  ASSERT_TRUE(eventually([&] { return shell.out() == "ok\n"; }));
  MemorySnapshots snapshots(folder.path());
  EXPECT_EQ(described(snapshots.take(shell.pid())), "not built with -cover");
  const auto all = process::descendants();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0], shell.pid());
  const std::string name = written(snapshots.take(all[1]));
  EXPECT_NE(name.find('.' + std::to_string(all[1]) + '.'), std::string::npos);
  shell.close_stdin();
  EXPECT_EQ(shell.wait().code, 0);
}

TEST(Snapshots, AProgramThatIsExecutedIsAnother) {
  const TempDir folder;
  Process shell({"/bin/sh", "-c", "echo shell; read line; exec " + program("snapshots")},
                {.env = {{"GOCOVERDIR", folder.path().string()}}, .keep_stdin_open = true});
  ASSERT_TRUE(eventually([&] { return shell.out() == "shell\n"; }));
  MemorySnapshots snapshots(folder.path());
  EXPECT_EQ(described(snapshots.take(shell.pid())), "not built with -cover");
  shell.feed("go on\n");
  shell.feed("hello\n");
  ASSERT_TRUE(eventually([&] { return shell.out() == "shell\nok\n"; }));
  EXPECT_NE(written(snapshots.take(shell.pid())), "");
  shell.close_stdin();
  EXPECT_EQ(shell.wait().code, 0);
}

TEST(Snapshots, AGoProgramBuiltWithoutCoverIsToldApart) {
  const TempDir folder;
  Process gcs({std::string(INTEGCOV_SERVERS) + "/gcs"}, {.keep_stdin_open = true});
  ASSERT_TRUE(eventually([&] { return !gcs.out().empty(); }));
  MemorySnapshots snapshots(folder.path());
  EXPECT_EQ(described(snapshots.take(gcs.pid())), "not built with -cover");
}

TEST(Snapshots, AProgramThatWritesElsewhereIsLeftAlone) {
  Fed fed(program("snapshots"));
  fed.feed("hello");
  const TempDir other;
  MemorySnapshots snapshots(other.path());
  EXPECT_EQ(described(snapshots.take(fed.program().pid())), "not built with -cover");
  EXPECT_TRUE(read_tree(other.path()).empty());
  fed.end();
}

TEST(Snapshots, AProcessThatIsGoneIsNone) {
  Fed fed(program("snapshots"));
  fed.feed("hello");
  MemorySnapshots snapshots(fed.folder());
  const pid_t pid = fed.program().pid();
  EXPECT_NE(written(snapshots.take(pid)), "");
  fed.program().send(SIGKILL);
  fed.program().wait();
  EXPECT_EQ(described(snapshots.take(pid)), "not yet");
}

TEST(Snapshots, WhatIsRememberedIsOfProcessesThatRun) {
  Fed fed(program("snapshots"));
  fed.feed("hello");
  MemorySnapshots snapshots(fed.folder());
  const pid_t pid = fed.program().pid();
  EXPECT_NE(written(snapshots.take(pid)), "");
  snapshots.keep_only({pid, pid + 1});
  EXPECT_EQ(described(snapshots.take(pid)), "unchanged");
  snapshots.keep_only({pid + 1});
  EXPECT_NE(written(snapshots.take(pid)), "") << "the first one of a process that isn't known";
  fed.end();
}

TEST(Snapshots, AFullDiskLeavesNothingBehind) {
  Fed fed(program("snapshots"));
  fed.feed("hello");
  MemorySnapshots snapshots(fed.folder());
  const auto before = read_tree(fed.folder());
  rlimit limit{};
  getrlimit(RLIMIT_FSIZE, &limit);
  const rlimit nothing{0, limit.rlim_max};
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &nothing);
  const Taken taken = snapshots.take(fed.program().pid());
  setrlimit(RLIMIT_FSIZE, &limit);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(described(taken), "failed: its snapshot can't be written to " + fed.folder().string() +
                                  ": File too large");
  EXPECT_EQ(read_tree(fed.folder()), before);
  EXPECT_NE(written(snapshots.take(fed.program().pid())), "");
  fed.end();
}

}  // namespace
}  // namespace integcov::test
