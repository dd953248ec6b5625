// Unsigned LEB128, and the other fields of Go's coverage files, read with an end that is never
// passed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace integcov::coverage {

void append_uleb(std::string& out, std::uint64_t value);

class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  [[nodiscard]] std::size_t left() const { return rest_.size(); }
  // nullopt at the end, past 10 bytes, or if the value doesn't fit.
  std::optional<std::uint64_t> uleb();
  std::optional<std::uint32_t> uleb32();
  std::optional<std::uint32_t> u32(bool big_endian = false);
  std::optional<std::uint64_t> u64();
  std::optional<std::string_view> take(std::uint64_t count);

 private:
  std::string_view rest_;
};

}  // namespace integcov::coverage
