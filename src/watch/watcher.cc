#include "watch/watcher.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "coverage/file_name.h"

namespace integcov::watch {

Watcher::Watcher(event::Loop& loop, std::string folder, bool recurse, Callbacks callbacks)
    : folder_(std::move(folder)),
      recurse_(recurse),
      callbacks_(std::move(callbacks)),
      fd_(inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
  if (!fd_) return;
  watcher_.emplace(loop, fd_.get(), [this](event::Readiness) { drain(); });
  watcher_->watch({.readable = true});
  watch("");
}

void Watcher::watch(const std::string& subfolder) {
  if (!fd_) return;
  const std::string prefix = subfolder.empty() ? "" : subfolder + '/';
  if (std::ranges::any_of(folders_, [&](const auto& known) { return known.second == prefix; })) {
    return;
  }
  std::uint32_t mask = IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_TO | IN_ONLYDIR | IN_EXCL_UNLINK;
  if (!subfolder.empty()) mask |= IN_DONT_FOLLOW;
  const std::string path = folder_ + '/' + subfolder;
  const int descriptor = inotify_add_watch(fd_.get(), path.c_str(), mask);
  if (descriptor >= 0) folders_[descriptor] = prefix;
}

void Watcher::close() {
  watcher_.reset();
  folders_.clear();
  fd_.reset();
}

void Watcher::drain() {
  alignas(inotify_event) char buffer[16 * 1024];
  while (fd_) {
    const ssize_t got = read(fd_.get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return;
    for (ssize_t at = 0; at < got;) {
      inotify_event header{};
      std::memcpy(&header, buffer + at, sizeof header);
      const char* name = header.len > 0 ? buffer + at + sizeof header : "";
      dispatch(header.wd, header.mask, name);
      at += static_cast<ssize_t>(sizeof header + header.len);
    }
  }
}

void Watcher::dispatch(int descriptor, std::uint32_t mask, const char* name) {
  if ((mask & IN_Q_OVERFLOW) != 0) {
    callbacks_.lost();
    return;
  }
  const auto folder = folders_.find(descriptor);
  if (folder == folders_.end()) return;
  if ((mask & IN_IGNORED) != 0) {  // the folder is gone; listing watches it again once it is back
    folders_.erase(folder);
    return;
  }
  const std::string path = folder->second + name;
  if ((mask & IN_ISDIR) != 0) {
    if (recurse_ && path != coverage::kControlFolder) callbacks_.lost();
  } else if ((mask & IN_CREATE) != 0) {
    callbacks_.created(path);
  } else {
    callbacks_.finished(path);
  }
}

}  // namespace integcov::watch
