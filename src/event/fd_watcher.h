// Calls back when a file descriptor is readable or writable. The fd is borrowed: it must outlive
// the watcher. Regular files can't be watched (epoll refuses them).
#pragma once

#include <functional>

#include "event/handle.h"
#include "event/loop.h"

namespace integcov::event {

struct Readiness {
  bool readable = false;
  bool writable = false;
};

class FdWatcher {
 public:
  // `ready` may change or destroy the watcher. On an fd error both flags are set.
  FdWatcher(Loop& loop, int fd, std::function<void(Readiness)> ready);

  // Replaces what is watched; {} stops.
  void watch(Readiness wanted);

 private:
  std::function<void(Readiness)> ready_;
  Handle<uv_poll_t> handle_;
};

}  // namespace integcov::event
