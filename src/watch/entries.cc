#include "watch/entries.h"

#include <fcntl.h>

#include <cerrno>
#include <string_view>

namespace integcov::watch {

UniqueFd open_subfolder(int folder, const char* name) {
  return UniqueFd(openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

Entries::Entries(UniqueFd folder) : dir_(fdopendir(folder.get()), closedir) {
  complete_ = dir_ != nullptr;
  if (dir_) fd_ = folder.release();
}

std::optional<Entries::Entry> Entries::next() {
  while (dir_) {
    errno = 0;
    const dirent* entry = readdir(dir_.get());
    if (entry == nullptr) {
      if (errno != 0) complete_ = false;
      break;
    }
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    struct stat info{};
    if (fstatat(fd_, entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0) continue;  // gone since
    return Entry{entry->d_name, info};
  }
  return std::nullopt;
}

}  // namespace integcov::watch
