#include "coverage/elf.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

namespace integcov::coverage {
namespace {

constexpr std::size_t kHeaderSize = 64;
constexpr std::size_t kSectionHeaderSize = 64;
constexpr std::uint64_t kMostNameBytes = 1 << 20;  // of all section names
constexpr std::uint32_t kProgbits = 1;
constexpr std::uint64_t kWrite = 1;
constexpr std::uint64_t kAlloc = 2;

std::uint16_t load16(std::span<const std::byte> bytes, std::size_t at) {
  return static_cast<std::uint16_t>(std::to_integer<unsigned>(bytes[at]) |
                                    std::to_integer<unsigned>(bytes[at + 1]) << 8);
}

std::string name_at(std::string_view names, std::uint32_t at) {
  if (at >= names.size()) return "";
  names.remove_prefix(at);
  return std::string(names.substr(0, names.find('\0')));
}

struct Machine {
  std::uint16_t elf;
  std::string_view go;
};
constexpr std::array<Machine, 5> kMachines{
    {{62, "amd64"}, {183, "arm64"}, {243, "riscv64"}, {21, "ppc64le"}, {258, "loong64"}}};

std::optional<ElfFile> fail(ElfError* error, ElfError why) {
  if (error != nullptr) *error = why;
  return std::nullopt;
}

}  // namespace

std::uint32_t load32(std::span<const std::byte> bytes, std::size_t at) {
  return load16(bytes, at) | static_cast<std::uint32_t>(load16(bytes, at + 2)) << 16;
}

std::uint64_t load64(std::span<const std::byte> bytes, std::size_t at) {
  return load32(bytes, at) | static_cast<std::uint64_t>(load32(bytes, at + 4)) << 32;
}

bool Section::writable_data() const {
  return type == kProgbits && (flags & kWrite) != 0 && (flags & kAlloc) != 0;
}

const Section* ElfFile::find(std::string_view name) const {
  const auto found = std::ranges::find(sections, name, &Section::name);
  return found == sections.end() ? nullptr : &*found;
}

std::string_view ElfFile::go_arch() const {
  const auto found = std::ranges::find(kMachines, machine, &Machine::elf);
  return found == kMachines.end() ? std::string_view() : found->go;
}

std::optional<ElfFile> read_elf(ByteSource& file, ElfError* error) {
  std::array<std::byte, kHeaderSize> header{};
  if (!file.read(0, header) || std::memcmp(header.data(),
                                           "\x7f"
                                           "ELF",
                                           4) != 0) {
    return fail(error, ElfError::not_elf);
  }
  constexpr std::byte kClass64{2};
  constexpr std::byte kLittleEndian{1};
  if (header[4] != kClass64 || header[5] != kLittleEndian) {
    return fail(error, ElfError::other_class);
  }
  ElfFile elf;
  constexpr std::uint16_t kSharedObject = 3;
  elf.position_independent = load16(header, 16) == kSharedObject;
  elf.machine = load16(header, 18);
  elf.entry = load64(header, 24);
  const std::uint64_t table_at = load64(header, 40);
  const std::size_t entry_size = load16(header, 58);
  const std::size_t count = load16(header, 60);
  const std::size_t names_index = load16(header, 62);
  if (count == 0) return elf;  // without section headers
  if (entry_size != kSectionHeaderSize || names_index >= count) {
    return fail(error, ElfError::not_elf);
  }
  std::vector<std::byte> table(count * kSectionHeaderSize);
  if (!file.read(table_at, table)) return fail(error, ElfError::not_elf);
  const auto header_of = [&](std::size_t index) {
    return std::span(table).subspan(index * kSectionHeaderSize, kSectionHeaderSize);
  };

  const std::uint64_t names_size = load64(header_of(names_index), 32);
  if (names_size > kMostNameBytes) return fail(error, ElfError::not_elf);
  std::string names(static_cast<std::size_t>(names_size), '\0');
  if (!file.read(load64(header_of(names_index), 24), std::as_writable_bytes(std::span(names)))) {
    return fail(error, ElfError::not_elf);
  }
  for (std::size_t i = 0; i < count; ++i) {
    const auto raw = header_of(i);
    Section section{.type = load32(raw, 4),
                    .flags = load64(raw, 8),
                    .address = load64(raw, 16),
                    .offset = load64(raw, 24),
                    .size = load64(raw, 32),
                    .link = load32(raw, 40)};
    const std::uint64_t most = std::numeric_limits<std::uint64_t>::max() - section.size;
    if (section.address > most || section.offset > most) return fail(error, ElfError::not_elf);
    // Names of any length would let a small file fill the memory.
    section.name = name_at(names, load32(raw, 0)).substr(0, 64);
    elf.sections.push_back(std::move(section));
  }
  return elf;
}

}  // namespace integcov::coverage
