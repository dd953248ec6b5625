// File events of GOCOVERDIR and its subfolders, by inotify(7). They are a hint: where they don't
// work (gVisor, network mounts, no watches left) listing the folder is the truth.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
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
    // A file was made.
    std::function<void(const std::string& path)> made;
    // Some of the above weren't told, or may not have been: of the folder itself before now.
    std::function<void()> missed;
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

  // A watch that was begun for a watcher that is made later. Nothing without inotify.
  struct Begun {
    UniqueFd queue;
    int descriptor = -1;
  };
  static Begun begin(const std::string& folder);

  // Begins to watch the folder, or goes on with what was begun. Without inotify it does nothing.
  void open() { open(Begun{}); }
  void open(Begun begun);

  // Tells now what has happened by now.
  void catch_up();

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
  using Buffer = std::array<char, 16384>;

  // False when there was nothing to read.
  bool drain();
  // How many bytes.
  std::size_t read_events();
  // True for what lost() is about.
  bool dispatch(int descriptor, std::uint32_t mask, const std::string& name);
  bool watch_folder(const std::string& subfolder);

  event::Loop& loop_;
  std::string folder_;
  bool recurse_;
  Callbacks callbacks_;
  UniqueFd fd_;
  std::unique_ptr<Buffer> events_;  // read and not yet dispatched: from at_ to end_
  std::size_t at_ = 0;
  std::size_t end_ = 0;
  bool overflowed_ = false;  // and more may have got lost since, which the kernel doesn't say
  std::map<int, std::string> folders_;  // by watch descriptor: the subfolder, "" or ending in '/'
  std::optional<event::FdWatcher> watcher_;
};

}  // namespace integcov::watch
