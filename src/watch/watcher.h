// File events of GOCOVERDIR and its subfolders, by inotify(7). They are a hint: where they don't
// work (gVisor, network mounts, no watches left) listing the folder is the truth.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "base/unique_fd.h"
#include "event/fd_watcher.h"

namespace integcov::watch {

class Watcher {
 public:
  struct Callbacks {
    // A file got its final name or was closed after writing; a path as in FileEntry.
    std::function<void(const std::string& path)> finished;
    // A file was made; it isn't complete yet.
    std::function<void(const std::string& path)> created;
    // Events may have been lost, or a subfolder appeared: list the folder.
    std::function<void()> lost;
  };

  // With `recurse` subfolders are watched as they appear. Without inotify it does nothing.
  Watcher(event::Loop& loop, std::string folder, bool recurse, Callbacks callbacks);

  // Watches that subfolder too, if it isn't yet; "" is the folder itself, once it is there (again).
  void watch(const std::string& subfolder);
  // Closing takes the kernel milliseconds: not on the path between the last upload and the exit.
  void close();

 private:
  void drain();
  void dispatch(int descriptor, std::uint32_t mask, const char* name);

  std::string folder_;
  bool recurse_;
  Callbacks callbacks_;
  UniqueFd fd_;
  std::map<int, std::string> folders_;  // by watch descriptor: the subfolder, "" or ending in '/'
  std::optional<event::FdWatcher> watcher_;
};

}  // namespace integcov::watch
