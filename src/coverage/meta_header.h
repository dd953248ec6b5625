// The first bytes of a covmeta file (Go src/internal/coverage/defs.go, MetaFileHeader).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "coverage/counters.h"

namespace integcov::coverage {

enum class CounterMode : std::uint8_t { set = 1, count = 2, atomic = 3 };

struct MetaHeader {
  MetaHash hash{};
  CounterMode mode = CounterMode::set;
  std::uint64_t total_length = 0;  // of the file
  std::uint64_t packages = 0;
};

inline constexpr std::size_t kMetaHeaderSize = 56;

// `bytes`: at least the first kMetaHeaderSize bytes; nullopt if it isn't a covmeta file.
std::optional<MetaHeader> parse_meta_header(std::string_view bytes);

}  // namespace integcov::coverage
