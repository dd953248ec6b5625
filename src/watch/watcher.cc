#include "watch/watcher.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <cstring>
#include <exception>

#include "coverage/file_name.h"

namespace integcov::watch {

void Watcher::open() {
  fd_.reset(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (!fd_) return;
  try {
    watcher_.emplace(loop_, fd_.get(), [this](event::Readiness) { drain(); });
    watcher_->watch({.readable = true});
  } catch (const std::exception&) {  // fs.epoll.max_user_watches
    watcher_.reset();
    return;
  }
  watch("");
}

bool Watcher::watch(const std::string& subfolder) {
  if (!watcher_) return false;
  std::uint32_t mask = IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_TO | IN_ONLYDIR | IN_EXCL_UNLINK;
  if (!subfolder.empty()) mask |= IN_DONT_FOLLOW;
  const std::string path = folder_ + '/' + subfolder;
  const int descriptor = inotify_add_watch(fd_.get(), path.c_str(), mask);
  if (descriptor < 0) return false;
  // The kernel gives the same number for the same folder, also under a new name.
  return folders_.insert_or_assign(descriptor, subfolder.empty() ? "" : subfolder + '/').second;
}

// Removing a watch takes microseconds, but then a worker of the kernel waits for a grace period (5
// to 20 ms measured on 6.18), and closing the fd for the worker. So the fd stays until the end.
void Watcher::close() {
  watcher_.reset();
  for (const auto& [descriptor, _] : folders_) inotify_rm_watch(fd_.get(), descriptor);
  folders_.clear();
}

void Watcher::drain() {
  alignas(inotify_event) char buffer[16 * 1024];
  // Once per turn of the loop: a busy writer must not keep signals waiting.
  const ssize_t got = read(fd_.get(), buffer, sizeof buffer);
  bool lost = false;
  for (ssize_t at = 0; at < got && watcher_;) {
    inotify_event header{};
    std::memcpy(&header, buffer + at, sizeof header);
    const char* name = header.len > 0 ? buffer + at + sizeof header : "";
    if (dispatch(header.wd, header.mask, name)) lost = true;
    at += static_cast<ssize_t>(sizeof header + header.len);
  }
  if (lost && watcher_) callbacks_.lost();
}

bool Watcher::dispatch(int descriptor, std::uint32_t mask, const char* name) {
  if ((mask & IN_Q_OVERFLOW) != 0) return true;
  const auto folder = folders_.find(descriptor);
  if (folder == folders_.end()) return false;
  if ((mask & IN_IGNORED) != 0) {  // the folder is gone; another may have its name by now
    folders_.erase(folder);
    return true;
  }
  if (*name == '\0') return false;  // IN_UNMOUNT: IN_IGNORED follows
  const std::string path = folder->second + name;
  if ((mask & IN_ISDIR) != 0) return recurse_ && path != coverage::kControlFolder;
  if ((mask & IN_CREATE) == 0)
    callbacks_.finished(path);  // a file that was made isn't complete yet
  return false;
}

}  // namespace integcov::watch
