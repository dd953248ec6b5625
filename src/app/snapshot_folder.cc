#include "app/snapshot_folder.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string_view>

#include "base/unique_fd.h"
#include "coverage/file_name.h"
#include "process/process_memory.h"
#include "watch/folder.h"

namespace integcov::app {
namespace {

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return true;
}

// Precondition: 32 lower-case hex digits.
coverage::MetaHash from_hex(std::string_view digits) {
  const auto value = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  coverage::MetaHash hash{};
  for (std::size_t i = 0; i < hash.size(); ++i) {
    hash[i] = static_cast<char>(value(digits[2 * i]) << 4 | value(digits[2 * i + 1]));
  }
  return hash;
}

}  // namespace

std::vector<coverage::MetaHash> SnapshotFolder::hashes() const {
  std::vector<coverage::MetaHash> found;
  const auto listing = watch::list_folder(path_, false);
  if (!listing) return found;
  for (const FileEntry& file : listing->files) {
    const coverage::FileName name = coverage::parse_file_name(file.path);
    if (name.kind == coverage::FileKind::covmeta) found.push_back(from_hex(name.hash));
  }
  return found;
}

std::optional<coverage::CounterMode> SnapshotFolder::mode(const coverage::MetaHash& hash) {
  if (const auto known = modes_.find(hash); known != modes_.end()) return known->second;
  auto file = watch::open_below(path_, "covmeta." + coverage::hex(hash));
  if (!file) return std::nullopt;
  std::array<char, coverage::kMetaHeaderSize> bytes{};
  process::FileBytes meta(std::move(*file));
  if (!meta.read(0, std::as_writable_bytes(std::span(bytes)))) return std::nullopt;
  const auto header = coverage::parse_meta_header({bytes.data(), bytes.size()});
  if (!header || header->hash != hash) return std::nullopt;
  return modes_[hash] = header->mode;
}

Status SnapshotFolder::write(const std::string& name, const std::string& bytes) const {
  const std::string temporary = path_ + "/tmp." + name;
  UniqueFd file(
      open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666));
  bool done = file && write_all(file.get(), bytes);
  int error = errno;
  if (done && (close(file.release()) != 0 ||
               rename(temporary.c_str(), (path_ + '/' + name).c_str()) != 0)) {
    error = errno;
    done = false;
  }
  if (done) return Success{};
  unlink(temporary.c_str());
  return Error{"its snapshot can't be written to " + path_ + ": " + std::strerror(error), error};
}

}  // namespace integcov::app
