#include "event/loop.h"

#include <ctime>
#include <stdexcept>
#include <string>

namespace integcov::event {
namespace {

Duration read_clock(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace

Loop::Loop() {
  if (const int error = uv_loop_init(&loop_); error != 0) {
    throw std::runtime_error(std::string("cannot make an event loop: ") + uv_strerror(error));
  }
}

Loop::~Loop() {
  // Owners are gone by now; what is left are their handles' close callbacks.
  while (uv_loop_close(&loop_) == UV_EBUSY) uv_run(&loop_, UV_RUN_NOWAIT);
}

void Loop::run() { uv_run(&loop_, UV_RUN_DEFAULT); }
void Loop::stop() { uv_stop(&loop_); }

MonoTime Loop::now() { return MonoTime(read_clock(CLOCK_MONOTONIC)); }
WallTime Loop::wall_now() { return WallTime(read_clock(CLOCK_REALTIME)); }

}  // namespace integcov::event
