#include "coverage/leb128.h"

#include <limits>

namespace integcov::coverage {
namespace {

constexpr int kLongestUleb = 10;

std::uint64_t little_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i > 0; --i) {
    value = value << 8 | static_cast<unsigned char>(bytes[i - 1]);
  }
  return value;
}

}  // namespace

void append_uleb(std::string& out, std::uint64_t value) {
  while (value >= 0x80) {
    out += static_cast<char>(value | 0x80);
    value >>= 7;
  }
  out += static_cast<char>(value);
}

std::optional<std::uint64_t> Reader::uleb() {
  std::uint64_t value = 0;
  for (int i = 0; i < kLongestUleb && static_cast<std::size_t>(i) < rest_.size(); ++i) {
    const auto byte = static_cast<unsigned char>(rest_[static_cast<std::size_t>(i)]);
    if (i == kLongestUleb - 1 && byte > 1) return std::nullopt;
    value |= static_cast<std::uint64_t>(byte & 0x7f) << (7 * i);
    if ((byte & 0x80) == 0) {
      rest_.remove_prefix(static_cast<std::size_t>(i) + 1);
      return value;
    }
  }
  return std::nullopt;
}

std::optional<std::uint32_t> Reader::uleb32() {
  const auto value = uleb();
  if (!value || *value > std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
  return static_cast<std::uint32_t>(*value);
}

std::optional<std::uint32_t> Reader::u32(bool big_endian) {
  const auto bytes = take(4);
  if (!bytes) return std::nullopt;
  const auto value = static_cast<std::uint32_t>(little_endian(*bytes));
  return big_endian ? __builtin_bswap32(value) : value;
}

std::optional<std::uint64_t> Reader::u64() {
  const auto bytes = take(8);
  if (!bytes) return std::nullopt;
  return little_endian(*bytes);
}

std::optional<std::string_view> Reader::take(std::uint64_t count) {
  if (count > rest_.size()) return std::nullopt;
  const std::string_view taken = rest_.substr(0, static_cast<std::size_t>(count));
  rest_.remove_prefix(taken.size());
  return taken;
}

}  // namespace integcov::coverage
