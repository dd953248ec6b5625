// Bytes at addresses: a file, a process's memory, or a string in a test. Nothing is promised about
// their content: whoever reads checks every value.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace integcov {

class ByteSource {
 public:
  virtual ~ByteSource() = default;

  // Fills `into` with the bytes from `at` on, or is false, and `into` then holds anything.
  virtual bool read(std::uint64_t at, std::span<std::byte> into) = 0;
};

// Bytes that are in our own memory; addresses start at `start`. They must outlive it.
class BytesInMemory : public ByteSource {
 public:
  explicit BytesInMemory(std::string_view bytes, std::uint64_t start = 0)
      : bytes_(std::as_bytes(std::span(bytes))), start_(start) {}

  bool read(std::uint64_t at, std::span<std::byte> into) override {
    if (at < start_ || at - start_ > bytes_.size() || into.size() > bytes_.size() - (at - start_)) {
      return false;
    }
    std::ranges::copy(bytes_.subspan(at - start_, into.size()), into.begin());
    return true;
  }

 private:
  std::span<const std::byte> bytes_;
  std::uint64_t start_;
};

}  // namespace integcov
