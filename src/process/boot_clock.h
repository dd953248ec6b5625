// Times of /proc/PID/stat, which are ticks since the machine's boot, against times in the names of
// coverage files, which are of CLOCK_REALTIME.
#pragma once

#include <cstdint>
#include <optional>

namespace integcov::process {

// The tick that is now.
std::uint64_t boot_tick();

class BootClock {
 public:
  BootClock();

  // CLOCK_REALTIME, in ns, when that tick was surely over. nullopt if CLOCK_REALTIME was set since
  // the constructor: what it showed then is not known.
  [[nodiscard]] std::optional<std::int64_t> over_at(std::uint64_t tick) const;
  // CLOCK_REALTIME, now; 0 if it was set since the constructor.
  [[nodiscard]] std::int64_t now_unless_set() const;

 private:
  std::int64_t offset_ns_;  // of CLOCK_REALTIME from CLOCK_BOOTTIME
};

}  // namespace integcov::process
