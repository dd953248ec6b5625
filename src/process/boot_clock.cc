#include "process/boot_clock.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>

#include "event/loop.h"

namespace integcov::process {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
// Between the two readings, and of a correction that goes unnoticed.
constexpr std::int64_t kSlack = 5'000'000;

std::int64_t since_boot() {
  timespec boot{};
  clock_gettime(CLOCK_BOOTTIME, &boot);
  return boot.tv_sec * kSecond + boot.tv_nsec;
}

// Never too small: what passes between the readings makes it larger.
std::int64_t offset() {
  const std::int64_t boot = since_boot();
  return event::Loop::wall_now().time_since_epoch().count() - boot;
}

}  // namespace

std::uint64_t boot_tick() {
  static const std::int64_t per_second = std::max(1L, sysconf(_SC_CLK_TCK));
  return static_cast<std::uint64_t>(since_boot() / (kSecond / per_second));
}

std::int64_t BootClock::now_unless_set() const {
  const std::int64_t now = event::Loop::wall_now().time_since_epoch().count();
  return std::abs(offset() - offset_ns_) > kSlack ? 0 : now;
}

BootClock::BootClock() : offset_ns_(offset()) {}

std::optional<std::int64_t> BootClock::over_at(std::uint64_t tick) const {
  const std::int64_t per_second = sysconf(_SC_CLK_TCK);
  const std::int64_t offset_ns = offset();
  if (per_second <= 0 || std::abs(offset_ns - offset_ns_) > kSlack) return std::nullopt;
  const auto ticks = static_cast<std::int64_t>(tick) + 1;
  const std::int64_t boot =
      ticks / per_second * kSecond + ticks % per_second * (kSecond / per_second);
  return boot + offset_ns + kSlack;
}

}  // namespace integcov::process
