#include "storage/content_reader.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "base/crc32c.h"
#include "coverage/file_name.h"

namespace integcov::storage {
namespace {

upload::Failed unreadable(int error) {
  return {.retryable = error != EBADF && error != EINVAL && error != EISDIR,
          .retry_after = {},
          .progressed = false,
          .reason = "the file cannot be read: " + std::generic_category().message(error)};
}

}  // namespace

std::variant<FileIdentity, upload::Failed> identify(int fd) {
  struct stat info{};
  if (::fstat(fd, &info) != 0) return unreadable(errno);
  if (!S_ISREG(info.st_mode)) {
    return upload::Failed{false, {}, false, "not a regular file"};
  }
  return FileIdentity{static_cast<std::uint64_t>(info.st_size),
                      std::int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec};
}

Writers writers_of(std::string_view path) {
  const bool other = coverage::parse_file_name(path).kind == coverage::FileKind::other;
  return other ? Writers::active : Writers::finished;
}

bool is_still_there(const FileIdentity& then, const FileIdentity& now, Writers writers) {
  return writers == Writers::active ? now.size >= then.size : now == then;
}

upload::Failed changed_while_read() {
  return {true, {}, false, "the file changed while it was read"};
}

ContentReader::Slice ContentReader::next() {
  if (!started_) {
    auto found = identify(fd_);
    if (auto* failed = std::get_if<upload::Failed>(&found)) return std::move(*failed);
    identity_ = std::get<FileIdentity>(found);
    buffer_.resize(std::min<std::uint64_t>(identity_.size, kSlice));
    started_ = true;
  }
  const std::size_t wanted = std::min<std::uint64_t>(identity_.size - offset_, kSlice);
  std::size_t got = 0;
  while (got < wanted) {
    const ssize_t n =
        ::pread(fd_, buffer_.data() + got, wanted - got, static_cast<off_t>(offset_ + got));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return unreadable(errno);
    if (n == 0) return changed_while_read();  // shorter than it was
    got += static_cast<std::size_t>(n);
  }
  const std::string_view bytes(buffer_.data(), got);
  crc_ = integcov::crc32c(crc_, bytes);
  offset_ += got;
  if (offset_ == identity_.size) {
    auto found = identify(fd_);
    if (auto* failed = std::get_if<upload::Failed>(&found)) return std::move(*failed);
    const auto& now = std::get<FileIdentity>(found);
    if (!is_still_there(identity_, now, writers_)) return changed_while_read();
    finished_ = true;
  }
  return bytes;
}

}  // namespace integcov::storage
