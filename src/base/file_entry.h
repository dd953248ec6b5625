// A regular file below GOCOVERDIR, as a listing or a file event saw it.
#pragma once

#include <cstdint>
#include <string>

namespace integcov {

struct FileEntry {
  std::string path;           // relative to GOCOVERDIR, '/' between components, never empty
  std::uint64_t size = 0;     // bytes
  std::int64_t mtime_ns = 0;  // CLOCK_REALTIME of the last modification, nanoseconds

  // Same name and, as far as stat(2) can tell, the same content.
  friend bool operator==(const FileEntry&, const FileEntry&) = default;
};

}  // namespace integcov
