#include "event/loop.h"

#include <gtest/gtest.h>

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
