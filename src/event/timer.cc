#include "event/timer.h"

#include <cstdint>
#include <utility>

namespace integcov::event {

Timer::Timer(Loop& loop, std::function<void()> fire) : fire_(std::move(fire)) {
  uv_timer_init(loop.raw(), later_.create(this));  // these two never fail
  uv_idle_init(loop.raw(), next_turn_.create(this));
}

void Timer::arm(Duration delay) {
  disarm();
  if (delay <= Duration::zero()) {
    uv_idle_start(next_turn_.get(), [](uv_idle_t* idle) noexcept {
      if (auto* self = static_cast<Timer*>(idle->data)) {
        Loop::call(idle->loop, [self] { self->expire(); });
      }
    });
    return;
  }
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(delay);
  uv_update_time(later_.get()->loop);
  uv_timer_start(
      later_.get(),
      [](uv_timer_t* timer) noexcept {
        if (auto* self = static_cast<Timer*>(timer->data)) {
          Loop::call(timer->loop, [self] { self->expire(); });
        }
      },
      static_cast<std::uint64_t>(ms.count()), 0);
}

void Timer::disarm() {
  uv_timer_stop(later_.get());
  uv_idle_stop(next_turn_.get());
}

void Timer::expire() {
  disarm();
  const auto fire = fire_;  // a copy: the callback may destroy the timer
  fire();
}

}  // namespace integcov::event
