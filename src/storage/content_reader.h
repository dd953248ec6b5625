// Reads a file slice by slice with its checksum and notices when it changes meanwhile in a way that
// matters. Blocking reads: the caller takes one slice per turn of the loop.
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

// Coverage files are complete once they have their name: any change is a fault. Any other file may
// be a log that someone goes on writing: it is sent as it is at the first look.
enum class Writers { finished, active };
Writers writers_of(std::string_view path);  // `path` as in FileEntry

// Whether what had the identity `then` can still be read at `now`.
bool is_still_there(const FileIdentity& then, const FileIdentity& now, Writers writers);

// Failed when fd isn't a regular file.
std::variant<FileIdentity, upload::Failed> identify(int fd);

// Retryable: the next attempt reads the file anew.
upload::Failed changed_while_read();

class ContentReader {
 public:
  static constexpr std::size_t kSlice = 1 << 20;  // bytes

  // `fd` is borrowed and read with pread(2) from its start.
  explicit ContentReader(int fd, Writers writers = Writers::finished)
      : fd_(fd), writers_(writers) {}

  // The next bytes, at most kSlice, valid until the next call. Empty only for an empty file. Not to
  // be called after finished() or a failure.
  using Slice = std::variant<std::string_view, upload::Failed>;
  Slice next();

  // All bytes that were there at the first call of next() were read, and they are still there.
  [[nodiscard]] bool finished() const { return finished_; }
  [[nodiscard]] std::uint64_t offset() const { return offset_; }  // bytes read so far
  [[nodiscard]] std::uint32_t crc32c() const { return crc_; }     // of the bytes read so far
  [[nodiscard]] const FileIdentity& identity() const { return identity_; }

 private:
  int fd_;
  Writers writers_;
  bool started_ = false;
  bool finished_ = false;
  FileIdentity identity_;
  std::uint64_t offset_ = 0;
  std::uint32_t crc_ = 0;
  std::string buffer_;
};

}  // namespace integcov::storage
