#include "process/boot_clock.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <ctime>
#include <string>

#include "process/identity.h"
#include "unit/process/helper.h"

namespace integcov::process {
namespace {

std::int64_t now() {
  timespec time{};
  clock_gettime(CLOCK_REALTIME, &time);
  return time.tv_sec * 1'000'000'000LL + time.tv_nsec;
}

TEST(BootClock, AProcessHasStartedBeforeItIsSaidToHave) {
  const BootClock clock;
  for (int i = 0; i < 20; ++i) {
    const std::int64_t before = now();
    Helper helper;
    helper.exec_cat();
    const auto identity = identify(helper.pid());
    ASSERT_TRUE(identity);
    const auto started = clock.over_at(identity->start_time);
    ASSERT_TRUE(started) << "nobody sets the clock";
    EXPECT_GT(*started, before);
    EXPECT_LT(*started, now() + 20'000'000) << "a tick and the slack";
  }
}

TEST(BootTick, AProcessStartsInOneBetweenTwoReadings) {
  for (int i = 0; i < 20; ++i) {
    const std::uint64_t before = boot_tick();
    Helper helper;
    helper.exec_cat();
    const auto identity = identify(helper.pid());
    ASSERT_TRUE(identity);
    EXPECT_GE(identity->start_time, before);
    EXPECT_LE(identity->start_time, boot_tick());
  }
}

TEST(BootClock, TicksAreHundredthsOfASecondOrWhatTheSystemSays) {
  const BootClock clock;
  const auto per_second = static_cast<std::uint64_t>(sysconf(_SC_CLK_TCK));
  const auto first = clock.over_at(0);
  const auto later = clock.over_at(1'000'000 * per_second);
  ASSERT_TRUE(first && later);
  EXPECT_NEAR(static_cast<double>(*later - *first), 1e15, 1e7);
}

}  // namespace
}  // namespace integcov::process
