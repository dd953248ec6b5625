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
  std::function<void()> fire_;
  Handle<uv_timer_t> handle_;
};

}  // namespace integcov::event
