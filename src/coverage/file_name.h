// The names that Go's coverage runtime gives its files (Go src/internal/coverage/cfile/emit.go,
// src/internal/coverage/pods/pods.go).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace integcov::coverage {

enum class FileKind {
  covmeta,      // covmeta.<32 hex>: written at the program's start, content-addressed
  covcounters,  // covcounters.<32 hex>.<pid>.<unix ns>: complete once it has this name
  temporary,    // tmp.*: being written, or left over by a kill; never uploaded
  control,      // below .integcov/: the supervisor's own
  record,       // integcov.<32 hex>.start.json or .end.json: the supervisor's record of a run
  other,
};

struct FileName {
  FileKind kind = FileKind::other;
  std::string hash;           // 32 lower-case hex digits; covmeta, also temporary, and covcounters
  std::uint32_t pid = 0;      // covcounters only, as the writing process saw it
  std::uint64_t time_ns = 0;  // CLOCK_REALTIME; covcounters, and a temporary covmeta or 0
};

inline constexpr std::string_view kControlFolder = ".integcov";

// `path` is relative to GOCOVERDIR; the kind follows from its last component, but for control.
FileName parse_file_name(std::string_view path);

// The name of a covcounters file, with another time. Precondition: it is one.
inline std::string with_time(const std::string& path, std::uint64_t time_ns) {
  return path.substr(0, path.rfind('.') + 1) + std::to_string(time_ns);
}

inline bool is_coverage(FileKind kind) {
  return kind == FileKind::covmeta || kind == FileKind::covcounters;
}

}  // namespace integcov::coverage
