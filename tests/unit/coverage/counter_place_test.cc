#include "coverage/counter_place.h"

#include <gtest/gtest.h>

#include <array>

#include "unit/coverage/elf_builder.h"
#include "unit/coverage/recorded_image.h"

namespace integcov::coverage {
namespace {

constexpr std::uint64_t kBias = 0x700000000000;

// The words of moduledata that are looked at.
struct ModuleData {
  std::uint64_t table = 0x5000;
  std::uint64_t min_pc = 0x1000, max_pc = 0x1f00, text = 0x1000, end_text = 0x2000;
  std::uint64_t bss = 0x9000, end_bss = 0x9100, free_bss = 0x9100, end_free_bss = 0x9300;
  std::uint64_t counters = 0x9200, end_counters = 0x9280;

  [[nodiscard]] std::string bytes() const {
    std::array<std::uint64_t, 34> words{};
    words[0] = table;
    words[20] = min_pc, words[21] = max_pc, words[22] = text, words[23] = end_text;
    words[28] = bss, words[29] = end_bss, words[30] = free_bss, words[31] = end_free_bss;
    words[32] = counters, words[33] = end_counters;
    std::string out;
    for (const std::uint64_t word : words) out += little(word == 0 ? 0 : word + kBias, 8);
    return out;
  }
};

std::optional<CounterPlace> place(const std::string& data, std::uint64_t data_address = 0x7000) {
  const MadeElf made{
      .type = 3,
      .sections = {
          {.name = ".text", .flags = 6, .address = 0x1000, .bytes = std::string(4096, 'c')},
          {.name = ".gopclntab", .flags = 2, .address = 0x5000, .bytes = "table"},
          {.name = ".data",
           .flags = kWritable,
           .address = data_address,
           .bytes = std::string(data.size(), '\0')}}};
  const std::string bytes = made.bytes();
  BytesInMemory file(bytes);
  BytesInMemory memory(data, data_address + kBias);
  return place_by_module_data(memory, *read_elf(file), kBias);
}

TEST(CounterPlace, TheRuntimesOwnTableTellsWhereStrippedProgramsHaveThem) {
  const ModuleData data;
  const auto found = place(std::string(64, 'x') + data.bytes() + "more");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->counters, (Range{kBias + 0x9200, kBias + 0x9280}));
  EXPECT_EQ(found->pointer_free_zeros, (Range{kBias + 0x9100, kBias + 0x9200}));
  EXPECT_EQ(found->zeros, (Range{kBias + 0x9000, kBias + 0x9100}));
  EXPECT_EQ(found->final_hash, 0U);
}

TEST(CounterPlace, TheTableIsFoundBehindAnotherAddressOfTheSame) {
  ModuleData other;
  other.min_pc = 0x3000;
  EXPECT_TRUE(place(other.bytes() + ModuleData().bytes()));
  EXPECT_TRUE(place(std::string(300 << 10, '\0') + ModuleData().bytes()));
  EXPECT_TRUE(place(std::string(4, '\0') + ModuleData().bytes(), 0x7004));
  EXPECT_FALSE(place(std::string(4, '\0') + ModuleData().bytes()));  // not on a word
}

TEST(CounterPlace, ATableThatDoesNotFitIsNone) {
  const auto without = [](auto change) {
    ModuleData data;
    change(data);
    return place(data.bytes());
  };
  EXPECT_FALSE(without([](ModuleData& d) { d.table = 0x5001; }));
  EXPECT_FALSE(without([](ModuleData& d) { d.max_pc = 0x2001; }));
  EXPECT_FALSE(without([](ModuleData& d) { d.text = 0x1001; }));
  EXPECT_FALSE(without([](ModuleData& d) { d.end_text = 0x1e00; }));
  EXPECT_FALSE(without([](ModuleData& d) { d.counters = 0x9000; }));
  EXPECT_FALSE(without([](ModuleData& d) { d.end_counters = 0x9100; }));
  EXPECT_FALSE(without([](ModuleData& d) { d.end_counters = 0x9400; }));
  EXPECT_FALSE(without([](ModuleData& d) { d.end_bss = 0x8000; }));
  EXPECT_FALSE(place(ModuleData().bytes().substr(0, 34 * 8 - 1)));
}

std::optional<CounterPlace> by_symbols(const std::vector<std::string>& names) {
  std::string strings(1, '\0');
  std::string table;
  std::uint64_t address = 0x100;
  for (const std::string& name : names) {
    table += symbol(strings.size(), address += 0x10);
    strings += name + '\0';
  }
  const std::string bytes =
      MadeElf{.sections = {{.name = ".symtab", .type = 2, .bytes = table, .link = 2},
                           {.name = ".strtab", .type = 3, .bytes = strings}}}
          .bytes();
  BytesInMemory file(bytes);
  return place_by_symbols(file, *read_elf(file), kBias);
}

TEST(CounterPlace, SymbolsTellItDirectly) {
  const auto newer =
      by_symbols({"runtime.covctrs", "runtime.ecovctrs", "internal/coverage/cfile.finalHash",
                  "internal/coverage/rtcov.Meta"});
  ASSERT_TRUE(newer);
  EXPECT_EQ(newer->counters, (Range{kBias + 0x110, kBias + 0x120}));
  EXPECT_EQ(newer->final_hash, kBias + 0x130);
  EXPECT_EQ(newer->package_list, kBias + 0x140);
  const auto older = by_symbols(
      {"runtime.covctrs", "runtime.ecovctrs", "runtime/coverage.finalHash", "runtime.covMeta"});
  EXPECT_EQ(older->final_hash, newer->final_hash);
  EXPECT_EQ(older->package_list, newer->package_list);
}

TEST(CounterPlace, SymbolsThatAreMissingOrOutOfOrderTellNothing) {
  EXPECT_FALSE(by_symbols({"main.main"}));
  EXPECT_FALSE(by_symbols({"runtime.covctrs"}));
  EXPECT_FALSE(by_symbols({"runtime.ecovctrs", "runtime.covctrs"}));
  EXPECT_EQ(by_symbols({"runtime.covctrs", "runtime.ecovctrs"})->final_hash, 0U);
}

MetaHash hash_of(char c) {
  MetaHash hash{};
  hash.fill(c);
  return hash;
}

TEST(CounterPlace, AHashIsFoundByTheNamesOfFiles) {
  const std::vector<MetaHash> known{hash_of('z'), hash_of('b'), hash_of('a')};
  const std::string bytes = "xyz" + std::string(16, 'b') + "rest";
  BytesInMemory memory(bytes, 0x1000);
  EXPECT_EQ(find_hash(memory, {0x1000, 0x1000 + bytes.size()}, known), 0x1003U);
  EXPECT_EQ(find_hash(memory, {0x1000, 0x1000 + bytes.size()}, {}), std::nullopt);
  EXPECT_EQ(find_hash(memory, {0x1000, 0x1012}, known), std::nullopt);  // cut off
  EXPECT_EQ(find_hash(memory, {0x1000, 0x2000}, known), std::nullopt);  // not readable
}

TEST(CounterPlace, TwoHashesAreNone) {
  const std::vector<MetaHash> known{hash_of('a'), hash_of('b')};
  const std::string bytes = std::string(16, 'a') + std::string(16, 'b');
  BytesInMemory memory(bytes);
  EXPECT_EQ(find_hash(memory, {0, bytes.size()}, known), std::nullopt);
}

TEST(CounterPlace, TheAuxiliaryVectorIsPairs) {
  const std::string auxv = little(3, 8) + little(9, 8) + little(9, 8) + little(77, 8) + "cut";
  EXPECT_EQ(aux_value(auxv, kAuxEntry), 77U);
  EXPECT_EQ(aux_value(auxv, 3), 9U);
  EXPECT_EQ(aux_value(auxv, 4), std::nullopt);
  EXPECT_EQ(aux_value("", kAuxEntry), std::nullopt);
}

}  // namespace
}  // namespace integcov::coverage
