#include "event/timer.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace integcov::event {

Timer::Timer(Loop& loop, std::function<void()> fire) : fire_(std::move(fire)) {
  uv_timer_init(loop.raw(), handle_.create(this));  // never fails
}

void Timer::arm(Duration delay) {
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(std::max(delay, Duration::zero()));
  uv_update_time(handle_.get()->loop);
  uv_timer_start(
      handle_.get(),
      [](uv_timer_t* timer) noexcept {
        if (auto* self = static_cast<Timer*>(timer->data)) {
          const auto fire = self->fire_;  // a copy: the callback may destroy the timer
          fire();
        }
      },
      static_cast<std::uint64_t>(ms.count()), 0);
}

void Timer::disarm() { uv_timer_stop(handle_.get()); }

}  // namespace integcov::event
