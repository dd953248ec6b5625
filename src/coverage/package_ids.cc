#include "coverage/package_ids.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <vector>

namespace integcov::coverage {
namespace {

constexpr std::size_t kWord = 8;
constexpr std::size_t kSliceSize = 3 * kWord;  // address, length, capacity
constexpr std::uint64_t kMostPackages = 1 << 16;
constexpr std::uint64_t kMostSearched = 16 << 20;  // of .bss

// rtcov.CovMetaBlob.
constexpr std::size_t kEntrySize = 64;
constexpr std::size_t kBlobAt = 0;
constexpr std::size_t kBlobLengthAt = 8;
constexpr std::size_t kBlobHashAt = 12;
constexpr std::size_t kPackageIdAt = 48;
// The package's part of covmeta: its length first, its hash at 16 (Go
// src/internal/coverage/defs.go, MetaSymbolHeader).
constexpr std::size_t kHashInBlobAt = 16;
constexpr std::size_t kHashSize = 16;

struct Slice {
  std::uint64_t address = 0;
  std::uint64_t length = 0;
};

std::optional<Slice> plausible(std::span<const std::byte> bytes) {
  const Slice slice{load64(bytes, 0), load64(bytes, kWord)};
  const std::uint64_t capacity = load64(bytes, 2 * kWord);
  if (slice.address == 0 || slice.address % kWord != 0 || slice.length == 0 ||
      slice.length > capacity || capacity > 2 * kMostPackages || slice.length > kMostPackages) {
    return std::nullopt;
  }
  return slice;
}

bool is_package(ByteSource& memory, std::uint64_t entry_at) {
  std::array<std::byte, kEntrySize> entry{};
  std::array<std::byte, kHashInBlobAt + kHashSize> blob{};
  return memory.read(entry_at, entry) && memory.read(load64(entry, kBlobAt), blob) &&
         load32(blob, 0) != 0 && load32(blob, 0) == load32(entry, kBlobLengthAt) &&
         std::memcmp(blob.data() + kHashInBlobAt, entry.data() + kBlobHashAt, kHashSize) == 0;
}

}  // namespace

std::optional<PackageIds> read_package_ids(ByteSource& memory, std::uint64_t at) {
  std::array<std::byte, kSliceSize> slice_bytes{};
  if (!memory.read(at, slice_bytes)) return std::nullopt;
  const auto slice = plausible(slice_bytes);
  if (!slice) return std::nullopt;
  std::vector<std::byte> entries(static_cast<std::size_t>(slice->length) * kEntrySize);
  if (!memory.read(slice->address, entries)) return std::nullopt;
  PackageIds ids;
  for (std::uint32_t index = 0; index < slice->length; ++index) {
    const auto id = static_cast<std::int64_t>(load64(entries, index * kEntrySize + kPackageIdAt));
    if (id < -1 && id >= std::numeric_limits<std::int32_t>::min()) {
      ids.try_emplace(static_cast<std::int32_t>(id), index);
    }
  }
  return ids;
}

std::optional<std::uint64_t> find_package_list(ByteSource& memory, Range range) {
  std::vector<std::byte> bytes(
      static_cast<std::size_t>(std::min<std::uint64_t>(range.size(), kMostSearched)));
  if (!memory.read(range.begin, bytes)) return std::nullopt;
  for (std::size_t i = (0 - range.begin) % kWord; i + kSliceSize <= bytes.size(); i += kWord) {
    const auto slice = plausible(std::span(bytes).subspan(i, kSliceSize));
    if (slice && is_package(memory, slice->address) &&
        is_package(memory, slice->address + (slice->length - 1) * kEntrySize)) {
      return range.begin + i;
    }
  }
  return std::nullopt;
}

}  // namespace integcov::coverage
