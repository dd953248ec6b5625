// The two clocks as types. Pure code is told the time; nothing here reads a clock.
#pragma once

#include <chrono>

namespace integcov {

using Duration = std::chrono::nanoseconds;

// A tag, not a clock: it has no now(), so pure code can't ask for the time.
struct Monotonic {
  using rep = Duration::rep;
  using period = Duration::period;
  using duration = Duration;
};

// CLOCK_MONOTONIC: deadlines, backoff. Never compare with WallTime.
using MonoTime = std::chrono::time_point<Monotonic, Duration>;

// CLOCK_REALTIME, nanoseconds since the epoch: log lines, token expiry, file names.
using WallTime = std::chrono::time_point<std::chrono::system_clock, Duration>;

}  // namespace integcov
