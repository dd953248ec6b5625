#include "event/loop.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <stdexcept>
#include <string>

#include "base/unique_fd.h"
#include "event/fd_watcher.h"
#include "event/timer.h"

namespace integcov::event {
namespace {

using namespace std::chrono_literals;

TEST(Loop, RunReturnsWhenNothingIsLeftToWaitFor) {
  Loop loop;
  loop.run();
  EXPECT_EQ(uv_loop_alive(loop.raw()), 0);
}

TEST(Loop, StopEndsARunThatStillHasSomethingToWaitFor) {
  Loop loop;
  Timer far(loop, [] { ADD_FAILURE(); });
  far.arm(1h);
  Timer soon(loop, [&] { loop.stop(); });
  soon.arm(0s);
  loop.run();
  EXPECT_NE(uv_loop_alive(loop.raw()), 0);
}

TEST(Loop, WhatACallbackThrowsEndsTheRunAndComesFromThere) {
  Loop loop;
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
  const UniqueFd reader(ends[0]);
  close(ends[1]);
  const auto fail = [] { throw std::runtime_error("out of something"); };
  Timer now(loop, fail);
  Timer later(loop, fail);
  FdWatcher watcher(loop, reader.get(), [&](auto) { fail(); });
  const auto throws = [&] {
    try {
      loop.run();
    } catch (const std::runtime_error& error) {
      return error.what() == std::string("out of something");
    }
    return false;
  };
  now.arm(0s);
  EXPECT_TRUE(throws());
  later.arm(1ms);
  EXPECT_TRUE(throws());
  watcher.watch({.readable = true, .writable = false});
  EXPECT_TRUE(throws());
}

TEST(Loop, EndsCleanlyWithHandlesThatWereClosedAndNeverTurned) {
  Loop loop;
  Timer timer(loop, [] { ADD_FAILURE(); });
  timer.arm(0s);
}

TEST(Loop, TheClocksGoForward) {
  const MonoTime before = Loop::now();
  EXPECT_LE(before, Loop::now());
  EXPECT_GT(Loop::wall_now(), WallTime(std::chrono::sys_days(std::chrono::year(2024) / 1 / 1)));
}

}  // namespace
}  // namespace integcov::event
