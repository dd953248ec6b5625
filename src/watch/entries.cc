#include "watch/entries.h"

#include <fcntl.h>

#include <cerrno>
#include <string_view>
#include <utility>

namespace integcov::watch {

UniqueFd open_subfolder(int folder, const char* name) {
  return UniqueFd(openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

Entries::Entries(UniqueFd folder) : folder_(std::move(folder)) {
  complete_ = static_cast<bool>(folder_);
  if (folder_) buffer_ = std::make_unique_for_overwrite<Buffer>();
}

// Nothing at the end.
const dirent64* Entries::next_record() {
  if (at_ == end_) {
    const ssize_t got = getdents64(folder_.get(), buffer_->bytes.data(), buffer_->bytes.size());
    if (got < 0 && errno != ENOENT) complete_ = false;  // ENOENT: the folder was deleted
    if (got <= 0) return nullptr;
    at_ = 0;
    end_ = static_cast<std::size_t>(got);
  }
  const auto* record = reinterpret_cast<const dirent64*>(buffer_->bytes.data() + at_);
  at_ += record->d_reclen;
  return record;
}

std::optional<Entries::Entry> Entries::next() {
  while (folder_) {
    const dirent64* record = next_record();
    if (record == nullptr) break;
    const std::string_view name = record->d_name;
    if (name == "." || name == "..") continue;
    Entry entry{record->d_name, static_cast<mode_t>(DTTOIF(record->d_type))};
    if (record->d_type == DT_UNKNOWN) {  // not all file systems say it
      const auto info = look_at(entry);
      if (!info) continue;
      entry.kind = info->st_mode & S_IFMT;
    }
    return entry;
  }
  return std::nullopt;
}

std::optional<struct stat> Entries::look_at(const Entry& entry) const {
  struct stat info{};
  if (fstatat(folder_.get(), entry.name, &info, AT_SYMLINK_NOFOLLOW) != 0) return std::nullopt;
  return info;
}

}  // namespace integcov::watch
