#include "event/loop.h"

#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <stdexcept>
#include <string>
#include <utility>

#include "base/unique_fd.h"

namespace integcov::event {
namespace {

Duration read_clock(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

// libuv aborts the process when it gets no fds for its signal pipe.
bool can_have_a_loop() {
  std::array<UniqueFd, 6> spare;  // libuv's two pipes, epoll fd and eventfd
  return std::ranges::all_of(spare, [](UniqueFd& fd) {
    fd.reset(eventfd(0, EFD_CLOEXEC));
    return static_cast<bool>(fd);
  });
}

}  // namespace

Loop::Loop() {
  if (!can_have_a_loop()) {
    throw std::runtime_error("cannot make an event loop: too few file descriptors are left");
  }
  if (const int error = uv_loop_init(&loop_); error != 0) {
    throw std::runtime_error(std::string("cannot make an event loop: ") + uv_strerror(error));
  }
  loop_.data = this;
}

Loop::~Loop() {
  // Owners are gone by now; what is left are their handles' close callbacks.
  while (uv_loop_close(&loop_) == UV_EBUSY) uv_run(&loop_, UV_RUN_NOWAIT);
}

void Loop::run() {
  uv_run(&loop_, UV_RUN_DEFAULT);
  if (auto thrown = std::exchange(thrown_, nullptr)) std::rethrow_exception(std::move(thrown));
}

void Loop::stop() { uv_stop(&loop_); }

MonoTime Loop::now() { return MonoTime(read_clock(CLOCK_MONOTONIC)); }
WallTime Loop::wall_now() { return WallTime(read_clock(CLOCK_REALTIME)); }

}  // namespace integcov::event
