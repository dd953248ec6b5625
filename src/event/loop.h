// The one libuv loop. RAII: every handle is gone, callbacks included, when it is destroyed.
#pragma once

#include <uv.h>

#include <exception>

#include "base/time.h"

namespace integcov::event {

class Loop {
 public:
  Loop();  // throws std::runtime_error when the kernel gives no epoll fd
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Runs until stop() or until no active handle is left. What a callback throws ends it, and is
  // thrown on from here: it must not pass through libuv.
  void run();
  void stop();

  // The loop's own sample of CLOCK_MONOTONIC, taken anew at each call: one call per pump.
  static MonoTime now();
  static WallTime wall_now();

  [[nodiscard]] uv_loop_t* raw() { return &loop_; }

  // For handles: calls a callback from one of libuv's.
  template <class Callback>
  static void call(uv_loop_t* raw, const Callback& callback) noexcept {
    auto* loop = static_cast<Loop*>(raw->data);
    if (loop->thrown_) return;
    try {
      callback();
    } catch (...) {
      loop->thrown_ = std::current_exception();
      loop->stop();
    }
  }

 private:
  uv_loop_t loop_{};
  std::exception_ptr thrown_;
};

}  // namespace integcov::event
