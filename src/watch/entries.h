// What lies in an open folder. Symbolic links are not followed.
#pragma once

#include <dirent.h>
#include <sys/stat.h>

#include <array>
#include <cstddef>
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
    mode_t kind;       // S_IFREG, S_IFDIR, …
  };

  // In no order, without "." and "..". Nothing at the end, or if the rest can't be read.
  std::optional<Entry> next();
  // Nothing if it is gone since.
  [[nodiscard]] std::optional<struct stat> look_at(const Entry& entry) const;

  [[nodiscard]] bool complete() const { return complete_; }  // so far
  [[nodiscard]] int folder() const { return folder_.get(); }

 private:
  // Some twenty entries: opendir(3) takes 32 kB for each folder.
  struct Buffer {
    alignas(dirent64) std::array<char, 2048> bytes;
  };

  const dirent64* next_record();

  UniqueFd folder_;
  std::unique_ptr<Buffer> buffer_;
  std::size_t at_ = 0;
  std::size_t end_ = 0;
  bool complete_ = true;
};

}  // namespace integcov::watch
