#include "coverage/elf.h"

#include <gtest/gtest.h>

#include "unit/coverage/elf_builder.h"

namespace integcov::coverage {
namespace {

MadeElf small() {
  return {.sections = {{.name = ".text", .flags = 6, .address = 0x1000, .bytes = "code"},
                       {.name = ".data", .flags = kWritable, .address = 0x2000, .bytes = "data"},
                       {.name = ".bss", .type = 8, .flags = kWritable, .address = 0x3000}}};
}

std::optional<ElfFile> read(const std::string& bytes, ElfError* error = nullptr) {
  BytesInMemory file(bytes);
  return read_elf(file, error);
}

TEST(Elf, HasSectionsEntryAndArchitecture) {
  const auto elf = read(small().bytes());
  ASSERT_TRUE(elf);
  EXPECT_EQ(elf->entry, 0x1000U);
  EXPECT_FALSE(elf->position_independent);
  EXPECT_EQ(elf->go_arch(), "amd64");
  const Section* data = elf->find(".data");
  ASSERT_NE(data, nullptr);
  EXPECT_EQ(data->range(), (Range{0x2000, 0x2004}));
  EXPECT_TRUE(data->writable_data());
  EXPECT_FALSE(elf->find(".text")->writable_data());
  EXPECT_FALSE(elf->find(".bss")->writable_data());
  EXPECT_EQ(elf->find(".nothing"), nullptr);
}

TEST(Elf, KnowsGosNamesOfArchitectures) {
  MadeElf made = small();
  made.type = 3;
  made.machine = 183;
  EXPECT_EQ(read(made.bytes())->go_arch(), "arm64");
  EXPECT_TRUE(read(made.bytes())->position_independent);
  made.machine = 1;
  EXPECT_EQ(read(made.bytes())->go_arch(), "");
}

TEST(Elf, SaysWhyItReadsNothing) {
  ElfError error = ElfError::none;
  EXPECT_FALSE(read("#!/bin/sh\n", &error));
  EXPECT_EQ(error, ElfError::not_elf);
  std::string bytes = small().bytes();
  bytes[4] = 1;  // 32 bits
  EXPECT_FALSE(read(bytes, &error));
  EXPECT_EQ(error, ElfError::other_class);
}

TEST(Elf, NoTruncationIsReadPastItsEnd) {
  const std::string whole = small().bytes();
  for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_FALSE(read(whole.substr(0, size)));
}

TEST(Elf, SectionsThatWrapAroundAreRefused) {
  MadeElf made = small();
  made.sections[0].address = ~std::uint64_t{0} - 2;
  EXPECT_FALSE(read(made.bytes()));
}

TEST(Elf, WithoutSectionHeadersThereIsJustTheEntry) {
  std::string bytes = small().bytes();
  bytes.replace(60, 2, 2, '\0');
  const auto elf = read(bytes);
  ASSERT_TRUE(elf);
  EXPECT_TRUE(elf->sections.empty());
}

}  // namespace
}  // namespace integcov::coverage
