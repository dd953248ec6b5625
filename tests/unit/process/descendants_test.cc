#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>

#include "process/identity.h"
#include "process/proc.h"
#include "unit/process/helper.h"

namespace integcov::process {
namespace {

bool among_descendants(pid_t pid) {
  const bool among = std::ranges::count(descendants(), pid) == 1;
  EXPECT_EQ(is_descendant(pid), among) << pid;
  return among;
}

TEST(Descendants, AreTheChildrenThatLive) {
  for (const pid_t other : {getpid(), getppid(), 0, 1}) EXPECT_FALSE(among_descendants(other));
  Helper one;
  Helper two;
  two.exec_cat();
  EXPECT_TRUE(among_descendants(one.pid()));
  EXPECT_TRUE(among_descendants(two.pid()));
  const pid_t gone = one.pid();
  one.end();
  EXPECT_FALSE(among_descendants(gone));
}

TEST(Descendants, AreTheirChildrenToo) {
  std::array<int, 2> pipe_fds{};
  ASSERT_EQ(pipe2(pipe_fds.data(), O_CLOEXEC), 0);
  const pid_t child = fork();
  if (child == 0) {
    const Helper grandchild;
    const pid_t pid = grandchild.pid();
    if (write(pipe_fds[1], &pid, sizeof pid) != sizeof pid) _exit(1);
    pause();
  }
  pid_t grandchild = 0;
  ASSERT_EQ(read(pipe_fds[0], &grandchild, sizeof grandchild), ssize_t{sizeof grandchild});
  const auto all = descendants();
  const auto parent_at = std::ranges::find(all, child);
  ASSERT_NE(parent_at, all.end());
  EXPECT_NE(std::find(parent_at, all.end(), grandchild), all.end());
  EXPECT_TRUE(is_descendant(grandchild));
  kill(child, SIGKILL);  // the grandchild's input ends with it
  waitpid(child, nullptr, 0);
  for (const int fd : pipe_fds) close(fd);
}

TEST(Descendants, InAnotherPidNamespaceAreLeftOut) {
  std::array<int, 2> pipe_fds{};
  ASSERT_EQ(pipe2(pipe_fds.data(), O_CLOEXEC), 0);
  const pid_t child = fork();
  if (child == 0) {
    const bool made = unshare(CLONE_NEWPID) == 0;
    const pid_t inner = made ? fork() : -1;
    if (inner == 0) pause();
    if (write(pipe_fds[1], &inner, sizeof inner) != sizeof inner) _exit(1);
    pause();
  }
  pid_t inner = -1;
  ASSERT_EQ(read(pipe_fds[0], &inner, sizeof inner), ssize_t{sizeof inner});
  const bool allowed = inner > 0;
  if (allowed) {
    EXPECT_TRUE(among_descendants(child));
    EXPECT_FALSE(among_descendants(inner));
    kill(inner, SIGKILL);
  }
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  for (const int fd : pipe_fds) close(fd);
  if (!allowed) GTEST_SKIP() << "no right to make a PID namespace";
}

TEST(LastPid, IsBelowThatOfTheNextProcess) {
  const pid_t before = last_pid();
  Helper helper;
  EXPECT_GE(before, getpid());
  EXPECT_GT(helper.pid(), before);
  EXPECT_GE(last_pid(), helper.pid());
}

TEST(ParsePids, TakesTheNumbersOfATextWhateverIsBetween) {
  using Pids = std::vector<pid_t>;
  EXPECT_EQ(parse_pids("1 22 333 "), (Pids{1, 22, 333}));
  EXPECT_EQ(parse_pids("\t42\n"), Pids{42});
  EXPECT_EQ(parse_pids("4194304"), Pids{4194304});
  EXPECT_EQ(parse_pids(""), Pids{});
  EXPECT_EQ(parse_pids(" \n"), Pids{});
  EXPECT_EQ(parse_pids("x7y8"), (Pids{7, 8}));
  EXPECT_EQ(parse_pids("99999999999999999999 5"), Pids{5}) << "no pid is so large";
}

}  // namespace
}  // namespace integcov::process
