// How long our own work may go on. The app's time is never limited.
#pragma once

#include <algorithm>
#include <optional>

#include "base/time.h"

namespace integcov::supervise {

class Budget {
 public:
  // Even where no time is granted: what is there is looked at, and can go to a folder.
  static constexpr Duration kLeast = std::chrono::milliseconds(100);
  // Kept back from the grace: the platform's SIGKILL comes at its end.
  static constexpr Duration kReserve = std::chrono::milliseconds(500);

  // Longer ones mean the same and can't overflow a point in time.
  static constexpr Duration kLongest = std::chrono::hours(24 * 365);

  Budget(Duration grace, Duration upload_timeout)
      : grace_(std::clamp(grace, kLeast, kLongest)),
        upload_timeout_(std::clamp(upload_timeout, kLeast, kLongest)) {}

  // SIGTERM or SIGINT.
  void stop_requested(MonoTime now);
  void child_exited(MonoTime now);

  // By which a stop that was requested before the child's exit must be done.
  [[nodiscard]] std::optional<MonoTime> stop_deadline() const { return stop_deadline_; }
  // When we must have ended; nullopt while the child runs.
  [[nodiscard]] std::optional<MonoTime> deadline() const { return deadline_; }

 private:
  // The grace less the reserve, or half of a grace that is shorter than two reserves.
  [[nodiscard]] Duration usable_grace() const;

  Duration grace_;
  Duration upload_timeout_;
  std::optional<MonoTime> stop_deadline_;
  std::optional<MonoTime> deadline_;
};

}  // namespace integcov::supervise
