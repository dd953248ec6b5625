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
  int fired = 0;
  std::unique_ptr<Timer> one;
  std::unique_ptr<Timer> other;
  one = std::make_unique<Timer>(loop, [&] { ++fired, other.reset(); });
  other = std::make_unique<Timer>(loop, [&] { ++fired, one.reset(); });
  one->arm(0s);
  other->arm(0s);
  loop.run();
  EXPECT_EQ(fired, 1);  // whichever came first
}

TEST(Timer, OneThatArmsItselfAnewWithoutDelayStarvesNobody) {
  Loop loop;
  int turns = 0;
  bool later = false;
  Timer busy(loop, [&] {
    if (++turns < 100'000'000 && !later) busy.arm(0s);
  });
  Timer other(loop, [&] { later = true; });
  busy.arm(0s);
  other.arm(1ms);
  loop.run();
  EXPECT_TRUE(later);
  EXPECT_LT(turns, 100'000'000);
}

}  // namespace
}  // namespace integcov::event
