// Just enough of ELF to find things in a Go program: 64-bit, little-endian (amd64, arm64, riscv64,
// ppc64le, loong64). Reads headers only; nothing in the file is trusted.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_source.h"

namespace integcov::coverage {

struct Range {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;

  [[nodiscard]] std::uint64_t size() const { return end - begin; }
  friend bool operator==(const Range&, const Range&) = default;
};

struct Section {
  std::string name;
  std::uint32_t type = 0;
  std::uint64_t flags = 0;
  std::uint64_t address = 0;  // as linked; 0 if it isn't loaded
  std::uint64_t offset = 0;   // in the file
  std::uint64_t size = 0;
  std::uint32_t link = 0;  // of a symbol table: the section of its strings

  [[nodiscard]] bool writable_data() const;  // loaded, from the file, writable
  // Precondition: it doesn't wrap; read_elf() lets no such section through.
  [[nodiscard]] Range range() const { return {address, address + size}; }
};

struct ElfFile {
  std::uint16_t machine = 0;
  bool position_independent = false;
  std::uint64_t entry = 0;  // as linked
  std::vector<Section> sections;

  [[nodiscard]] const Section* find(std::string_view name) const;
  // As Go calls it, "amd64"; empty if it isn't known.
  [[nodiscard]] std::string_view go_arch() const;
};

enum class ElfError {
  none,
  not_elf,      // or cut off, or unreadable
  other_class,  // 32-bit or big-endian
};

// `error`, if given, is set when there is no result.
std::optional<ElfFile> read_elf(ByteSource& file, ElfError* error = nullptr);

// Addresses as linked of the symbols with these names, 0 for one that isn't there. The tables are
// read once, in pieces.
std::vector<std::uint64_t> find_symbols(ByteSource& file, const ElfFile& elf,
                                        std::span<const std::string_view> names);

// A word of a buffer that came from a ByteSource; the caller has checked the bounds.
std::uint64_t load64(std::span<const std::byte> bytes, std::size_t at);
std::uint32_t load32(std::span<const std::byte> bytes, std::size_t at);

}  // namespace integcov::coverage
