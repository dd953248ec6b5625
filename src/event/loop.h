// The one libuv loop. RAII: every handle is gone, callbacks included, when it is destroyed.
#pragma once

#include <uv.h>

#include "base/time.h"

namespace integcov::event {

class Loop {
 public:
  Loop();  // throws std::runtime_error when the kernel gives no epoll fd
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Runs until stop() or until no active handle is left.
  void run();
  void stop();

  // The loop's own sample of CLOCK_MONOTONIC, taken anew at each call: one call per pump.
  static MonoTime now();
  static WallTime wall_now();

  [[nodiscard]] uv_loop_t* raw() { return &loop_; }

 private:
  uv_loop_t loop_{};
};

}  // namespace integcov::event
