#include "event/fd_watcher.h"

#include <stdexcept>
#include <string>
#include <utility>

namespace integcov::event {

FdWatcher::FdWatcher(Loop& loop, int fd, std::function<void(Readiness)> ready)
    : ready_(std::move(ready)) {
  if (const int error = uv_poll_init(loop.raw(), handle_.create(this), fd); error != 0) {
    handle_.discard();
    throw std::runtime_error(std::string("cannot watch a file descriptor: ") + uv_strerror(error));
  }
}

void FdWatcher::watch(Readiness wanted) {
  const int events = (wanted.readable ? UV_READABLE : 0) | (wanted.writable ? UV_WRITABLE : 0);
  if (events == 0) {
    uv_poll_stop(handle_.get());
    return;
  }
  uv_poll_start(handle_.get(), events, [](uv_poll_t* poll, int status, int got) noexcept {
    auto* self = static_cast<FdWatcher*>(poll->data);
    if (self == nullptr) return;
    const Readiness is = status < 0 ? Readiness{true, true}
                                    : Readiness{(got & UV_READABLE) != 0, (got & UV_WRITABLE) != 0};
    Loop::call(poll->loop, [&] {
      const auto ready = self->ready_;  // a copy: the callback may destroy the watcher
      ready(is);
    });
  });
}

}  // namespace integcov::event
