// File events of GOCOVERDIR and its subfolders, by inotify(7). They are a hint: where they don't
// work (gVisor, network mounts, no watches left) listing the folder is the truth.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "base/unique_fd.h"
#include "event/fd_watcher.h"

namespace integcov::watch {

class Watcher {
 public:
  struct Callbacks {
    // A file got its final name or was closed after writing; a path as in FileEntry.
    std::function<void(const std::string& path)> finished;
    // Events may have been lost, a subfolder appeared or a watched one is gone: list the folder.
    // Once after any number of such events that were there to read.
    std::function<void()> lost;
  };

  // With `recurse` new subfolders are told by lost(). Callbacks may close the watcher, not destroy
  // it.
  Watcher(event::Loop& loop, std::string folder, bool recurse, Callbacks callbacks)
      : loop_(loop),
        folder_(std::move(folder)),
        recurse_(recurse),
        callbacks_(std::move(callbacks)) {}

  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;
  ~Watcher() { close(); }

  // Begins to watch the folder. Without inotify it does nothing.
  void open();

  // Watches that subfolder too, if it isn't yet; "" is the folder itself, once it is there (again).
  // True if it is watched from now on: what was made in it before may have been missed. Nothing
  // before open().
  bool watch(const std::string& subfolder);
  // False where the kernel refuses inotify: list the folder from time to time instead.
  [[nodiscard]] bool works() const { return fd_ && !folders_.empty(); }

  // No callback comes any more. The kernel is still busy with it for some milliseconds, which our
  // destruction waits for.
  void close();

 private:
  void drain();
  // True for what lost() is about.
  bool dispatch(int descriptor, std::uint32_t mask, const char* name);

  event::Loop& loop_;
  std::string folder_;
  bool recurse_;
  Callbacks callbacks_;
  UniqueFd fd_;
  std::map<int, std::string> folders_;  // by watch descriptor: the subfolder, "" or ending in '/'
  std::optional<event::FdWatcher> watcher_;
};

}  // namespace integcov::watch
