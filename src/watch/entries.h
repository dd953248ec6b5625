// What lies in an open folder. Symbolic links are not followed.
#pragma once

#include <dirent.h>
#include <sys/stat.h>

#include <memory>
#include <optional>

#include "base/unique_fd.h"

namespace integcov::watch {

// A folder in an open folder. Nothing, with errno set, if it is gone, a symbolic link or no folder.
UniqueFd open_subfolder(int folder, const char* name);

class Entries {
 public:
  // Of nothing there are no entries, and they are not complete.
  explicit Entries(UniqueFd folder);

  struct Entry {
    const char* name;  // until the next one is asked for
    struct stat info;
  };

  // In no order, without "." and "..". Nothing at the end, or if the rest can't be read.
  std::optional<Entry> next();

  [[nodiscard]] bool complete() const { return complete_; }  // so far
  [[nodiscard]] int folder() const { return fd_; }

 private:
  int fd_ = -1;  // owned by dir_
  std::unique_ptr<DIR, int (*)(DIR*)> dir_;
  bool complete_ = true;
};

}  // namespace integcov::watch
