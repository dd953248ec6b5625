#include "watch/watcher.h"

#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdint>
#include <cstring>
#include <exception>

#include "coverage/file_name.h"

namespace integcov::watch {
namespace {

constexpr std::uint32_t kMask =
    IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_TO | IN_ONLYDIR | IN_EXCL_UNLINK;

UniqueFd new_queue() { return UniqueFd(inotify_init1(IN_NONBLOCK | IN_CLOEXEC)); }

}  // namespace

Watcher::Begun Watcher::begin(const std::string& folder) {
  Begun begun{new_queue()};
  if (!begun.queue) return begun;
  begun.descriptor = inotify_add_watch(begun.queue.get(), (folder + '/').c_str(), kMask);
  if (begun.descriptor < 0) begun.queue.reset();
  return begun;
}

void Watcher::open(Begun begun) {
  fd_ = begun.queue ? std::move(begun.queue) : new_queue();
  if (!fd_) return;
  try {
    watcher_.emplace(loop_, fd_.get(), [this](event::Readiness) { drain(); });
    watcher_->watch({.readable = true});
  } catch (const std::exception&) {  // fs.epoll.max_user_watches
    watcher_.reset();
    return;
  }
  // Another folder may have its name by now.
  if (watch_folder("") && !folders_.contains(begun.descriptor)) callbacks_.missed();
}

bool Watcher::watch(const std::string& subfolder) {
  const bool is_new = watch_folder(subfolder);
  if (is_new && subfolder.empty()) callbacks_.missed();
  return is_new;
}

bool Watcher::watch_folder(const std::string& subfolder) {
  if (!watcher_) return false;
  const std::uint32_t mask = subfolder.empty() ? kMask : kMask | IN_DONT_FOLLOW;
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

void Watcher::catch_up() {
  constexpr int kMost = 128;  // what the kernel keeps by default (max_queued_events)
  for (int reads = 0; watcher_ && drain(); ++reads) {
    if (reads == kMost) return callbacks_.missed();
  }
}

// While nothing comes there is no buffer.
std::size_t Watcher::read_events() {
  int waiting = 0;
  if (ioctl(fd_.get(), FIONREAD, &waiting) == 0 && waiting == 0) return 0;
  if (!events_) events_ = std::make_unique_for_overwrite<Buffer>();
  const ssize_t got = read(fd_.get(), events_->data(), events_->size());
  return static_cast<std::size_t>(std::max<ssize_t>(0, got));
}

// A callback may catch up, which goes on with what is left here. Once per turn of the loop: a busy
// writer must not keep signals waiting.
bool Watcher::drain() {
  if (at_ == end_) {
    at_ = 0;
    end_ = read_events();
    if (overflowed_) callbacks_.missed();
    constexpr std::size_t kLongest = sizeof(inotify_event) + NAME_MAX + 1;
    if (end_ + kLongest < sizeof(Buffer)) overflowed_ = false;  // those were all
  }
  const bool some = at_ < end_;
  bool lost = false;
  while (at_ < end_ && watcher_) {
    inotify_event header{};
    const char* event = events_->data() + at_;
    std::memcpy(&header, event, sizeof header);
    const std::string name = header.len > 0 ? event + sizeof header : "";
    at_ += sizeof header + header.len;
    if (dispatch(header.wd, header.mask, name)) lost = true;
  }
  if (lost && watcher_) callbacks_.lost();
  return some;
}

bool Watcher::dispatch(int descriptor, std::uint32_t mask, const std::string& name) {
  if ((mask & IN_Q_OVERFLOW) != 0) {
    overflowed_ = true;
    callbacks_.missed();
    return true;
  }
  const auto folder = folders_.find(descriptor);
  if (folder == folders_.end()) return false;
  if ((mask & IN_IGNORED) != 0) {  // the folder is gone; another may have its name by now
    folders_.erase(folder);
    return true;
  }
  if (name.empty()) return false;  // IN_UNMOUNT: IN_IGNORED follows
  const std::string path = folder->second + name;
  if ((mask & IN_ISDIR) != 0) return recurse_ && path != coverage::kControlFolder;
  if ((mask & IN_CREATE) != 0) {
    callbacks_.made(path);
  } else {
    callbacks_.finished(path);
  }
  return false;
}

}  // namespace integcov::watch
