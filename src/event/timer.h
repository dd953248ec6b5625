// A one-shot timer. Destroying or disarming it cancels; the callback then never comes.
#pragma once

#include <functional>

#include "event/handle.h"
#include "event/loop.h"

namespace integcov::event {

class Timer {
 public:
  // `fire` may arm, disarm or destroy the timer.
  Timer(Loop& loop, std::function<void()> fire);

  // Fires once after `delay` (rounded up to a millisecond; 0 is the next turn of the loop). Arming
  // again replaces the earlier time.
  void arm(Duration delay);
  void disarm();

 private:
  void expire();

  std::function<void()> fire_;
  Handle<uv_timer_t> later_;
  // Of delay 0. libuv goes on running timers that are due before it polls: one that armed itself
  // anew with 0 would starve signals and sockets.
  Handle<uv_idle_t> next_turn_;
};

}  // namespace integcov::event
