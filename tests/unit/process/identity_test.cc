#include "process/identity.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <string>
#include <thread>

#include "unit/process/forked.h"
#include "unit/process/helper.h"

namespace integcov::process {
namespace {

TEST(Identity, StaysTheSame) {
  const auto self = identify(getpid());
  ASSERT_TRUE(self);
  EXPECT_EQ(self->pid, getpid());
  EXPECT_GT(self->start_time, 0U);
  EXPECT_FALSE(self->image.empty());
  EXPECT_EQ(identify(getpid()), self);
}

TEST(Identity, AForkHasNoneBeforeItExecutes) {
  Helper helper;
  EXPECT_FALSE(identify(helper.pid()));
  helper.exec_cat();
  const auto identity = identify(helper.pid());
  ASSERT_TRUE(identity);
  EXPECT_NE(identity->image, identify(getpid())->image);
}

TEST(Identity, AProcessThatIsGoneHasNone) {
  Helper helper;
  helper.exec_cat();
  const pid_t pid = helper.pid();
  ASSERT_TRUE(identify(pid));
  helper.die();
  EXPECT_FALSE(identify(pid));
  helper.end();
  EXPECT_FALSE(identify(pid));
}

TEST(Identity, HasTheOldestOfTheOtherThreads) {
  EXPECT_EQ(in_a_child([] {
              if (oldest_thread(getpid())) return std::string("one thread has none");
              std::atomic<pid_t> tid = 0;
              std::thread first([&] {
                tid = gettid();
                pause();
              });
              while (tid == 0) usleep(1000);
              std::thread second([] { pause(); });
              first.detach();
              second.detach();
              const auto thread = oldest_thread(getpid());
              return std::string(thread && thread->id == tid ? "the first" : "another");
            }),
            "the first");
}

// Random addresses tell two images apart, and so does the thread where there are none.
TEST(Identity, AnExecEndsTheThread) {
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
  const pid_t pid = fork();
  if (pid == 0) {
    std::thread([] { pause(); }).detach();
    char byte = 0;
    [[maybe_unused]] const auto got = read(ends[0], &byte, 1);
    execlp("sleep", "sleep", "60", nullptr);
    _exit(1);
  }
  EXPECT_TRUE(eventually([&] { return oldest_thread(pid).has_value(); }));
  ASSERT_EQ(write(ends[1], "x", 1), 1);
  EXPECT_TRUE(eventually([&] { return !oldest_thread(pid); }));
  kill(pid, SIGKILL);
  waitpid(pid, nullptr, 0);
  close(ends[0]);
  close(ends[1]);
  EXPECT_EQ(oldest_thread(pid), std::nullopt);
}

}  // namespace
}  // namespace integcov::process
