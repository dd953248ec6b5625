#include "event/timer.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace integcov::event {
namespace {

using namespace std::chrono_literals;

TEST(Timer, FiresOnceAndNotBeforeItsTime) {
  Loop loop;
  int fired = 0;
  Timer timer(loop, [&] { ++fired; });
  const MonoTime start = Loop::now();
  timer.arm(20ms);
  loop.run();
  EXPECT_EQ(fired, 1);
  EXPECT_GE(Loop::now() - start, 19ms);  // libuv's clock has whole milliseconds
}

TEST(Timer, FiresInTheOrderOfTheDelays) {
  Loop loop;
  std::string order;
  Timer late(loop, [&] { order += "late"; });
  Timer soon(loop, [&] { order += "soon "; });
  late.arm(20ms);
  soon.arm(1ms);
  loop.run();
  EXPECT_EQ(order, "soon late");
}

TEST(Timer, ANegativeDelayIsNow) {
  Loop loop;
  int fired = 0;
  Timer timer(loop, [&] { ++fired; });
  timer.arm(-1h);
  EXPECT_EQ(fired, 0);
  loop.run();
  EXPECT_EQ(fired, 1);
}

TEST(Timer, ArmingAgainReplacesTheEarlierTime) {
  Loop loop;
  int fired = 0;
  Timer timer(loop, [&] { ++fired; });
  timer.arm(1h);
  timer.arm(0s);
  loop.run();
  EXPECT_EQ(fired, 1);
}

TEST(Timer, DisarmedOrDestroyedItNeverFires) {
  Loop loop;
  Timer disarmed(loop, [] { ADD_FAILURE(); });
  disarmed.arm(0s);
  disarmed.disarm();
  auto destroyed = std::make_unique<Timer>(loop, [] { ADD_FAILURE(); });
  destroyed->arm(0s);
  destroyed.reset();
  loop.run();
  EXPECT_EQ(uv_loop_alive(loop.raw()), 0);
}

TEST(Timer, ItsCallbackMayArmItAgain) {
  Loop loop;
  int fired = 0;
  Timer timer(loop, [&] {
    if (++fired < 3) timer.arm(1ms);
  });
  timer.arm(0s);
  loop.run();
  EXPECT_EQ(fired, 3);
}

TEST(Timer, ItsCallbackMayDestroyItAndUseItsCaptureAfterwards) {
  Loop loop;
  std::string said;
  std::unique_ptr<Timer> timer;
  timer = std::make_unique<Timer>(loop, [&, word = std::string("a word too long for the stack")] {
    timer.reset();
    said = word;
  });
  timer->arm(0s);
  loop.run();
  EXPECT_EQ(said, "a word too long for the stack");
}

TEST(Timer, OneMayDestroyAnotherThatIsDueInTheSameTurn) {
  Loop loop;
  auto second = std::make_unique<Timer>(loop, [] { ADD_FAILURE(); });
  Timer first(loop, [&] { second.reset(); });
  first.arm(0s);
  second->arm(0s);
  loop.run();
  EXPECT_EQ(second, nullptr);
}

}  // namespace
}  // namespace integcov::event
