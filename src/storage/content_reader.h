// Reads a file slice by slice with its checksum and notices when it changes meanwhile. Blocking
// reads: the caller takes one slice per turn of the loop.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "upload/outcome.h"

namespace integcov::storage {

// As far as fstat(2) can tell, equal identities mean equal content.
struct FileIdentity {
  std::uint64_t size = 0;     // bytes
  std::int64_t mtime_ns = 0;  // CLOCK_REALTIME, nanoseconds

  friend bool operator==(const FileIdentity&, const FileIdentity&) = default;
};

// Failed when fd isn't a regular file.
std::variant<FileIdentity, upload::Failed> identify(int fd);

// Retryable: the next attempt reads the file anew.
upload::Failed changed_while_read();

class ContentReader {
 public:
  static constexpr std::size_t kSlice = 1 << 20;  // bytes

  // `fd` is borrowed and read with pread(2) from its start.
  explicit ContentReader(int fd) : fd_(fd) {}

  // The next bytes, at most kSlice, valid until the next call. Empty only for an empty file. Not to
  // be called after finished() or a failure.
  using Slice = std::variant<std::string_view, upload::Failed>;
  Slice next();

  // All was read and the file is still what it was at the first call of next().
  [[nodiscard]] bool finished() const { return finished_; }
  [[nodiscard]] std::uint64_t offset() const { return offset_; }  // bytes read so far
  [[nodiscard]] std::uint32_t crc32c() const { return crc_; }     // of the bytes read so far
  [[nodiscard]] const FileIdentity& identity() const { return identity_; }

 private:
  int fd_;
  bool started_ = false;
  bool finished_ = false;
  FileIdentity identity_;
  std::uint64_t offset_ = 0;
  std::uint32_t crc_ = 0;
  std::string buffer_;
};

}  // namespace integcov::storage
