#include <gtest/gtest.h>

#include <array>

#include "coverage/elf.h"
#include "unit/coverage/elf_builder.h"

namespace integcov::coverage {
namespace {

using Addresses = std::vector<std::uint64_t>;

constexpr std::array<std::string_view, 3> kNames{"wanted", "other", "missing"};

Addresses find(const std::string& table, const std::string& strings) {
  const MadeElf made{.sections = {{.name = ".symtab", .type = 2, .bytes = table, .link = 2},
                                  {.name = ".strtab", .type = 3, .bytes = strings}}};
  const std::string bytes = made.bytes();
  BytesInMemory file(bytes);
  const auto elf = read_elf(file);
  return elf ? find_symbols(file, *elf, kNames) : Addresses{};
}

TEST(ElfSymbols, AreFoundByTheirWholeNames) {
  const std::string strings("\0wanted.not\0not.other\0wanted\0other\0", 35);
  EXPECT_EQ(find(symbol(1, 5) + symbol(12, 6) + symbol(22, 7) + symbol(29, 8), strings),
            (Addresses{7, 8, 0}));
}

TEST(ElfSymbols, ANameMayBeTheEndOfAnother) {
  const std::string strings("\0not.wanted\0", 12);
  EXPECT_EQ(find(symbol(1, 5) + symbol(5, 6), strings), (Addresses{6, 0, 0}));
}

TEST(ElfSymbols, ASymbolWithoutAnAddressIsNone) {
  const std::string strings("\0wanted\0", 8);
  EXPECT_EQ(find(symbol(1, 0) + symbol(1, 9), strings), (Addresses{9, 0, 0}));
}

TEST(ElfSymbols, NoPieceOfATableCutsThem) {
  // The strings and the table are read in pieces of 256 KiB.
  for (int shift = -8; shift <= 1; ++shift) {
    std::string strings(static_cast<std::size_t>((256 << 10) + shift), 'x');
    const std::size_t name = strings.size();
    strings += std::string("wanted\0", 7);
    std::string table;
    for (int i = 0; i < 20000; ++i) table += symbol(1, 1);
    table += symbol(name, 77) + "cut off";
    EXPECT_EQ(find(table, strings), (Addresses{77, 0, 0})) << shift;
  }
}

TEST(ElfSymbols, WithoutATableThereAreNone) {
  const std::string bytes = MadeElf{.sections = {{.name = ".text"}}}.bytes();
  BytesInMemory file(bytes);
  EXPECT_EQ(find_symbols(file, *read_elf(file), kNames), (Addresses{0, 0, 0}));
  const std::string linked_nowhere =
      MadeElf{.sections = {{.name = ".symtab", .type = 2, .bytes = symbol(1, 1), .link = 99}}}
          .bytes();
  BytesInMemory other(linked_nowhere);
  EXPECT_EQ(find_symbols(other, *read_elf(other), kNames), (Addresses{0, 0, 0}));
}

}  // namespace
}  // namespace integcov::coverage
