#include "coverage/build_info.h"

#include <gtest/gtest.h>

#include "coverage/leb128.h"
#include "unit/coverage/elf_builder.h"

namespace integcov::coverage {
namespace {

constexpr std::string_view kModules =
    "path\texample.com/app/cmd\n"
    "mod\texample.com/app\tv1.2.3\th1:sum=\n"
    "dep\texample.com/dep\tv0.1.0\th1:sum=\n"
    "build\t-cover=true\n"
    "build\t-coverpkg=./...\n"
    "build\t-ldflags=\"-s -X 'a=\\\"b\\\"'\"\n"
    "build\tvcs.revision=0123abc\n"
    "build\tvcs.modified=true\n";

std::string section(std::string_view version, std::string_view modules, char flags = 2) {
  std::string bytes = "\xff Go buildinf:" + little(8, 1) + flags + std::string(16, '\0');
  append_uleb(bytes, version.size());
  bytes += version;
  append_uleb(bytes, modules.size());
  bytes += modules;
  return bytes + "rest";
}

std::optional<BuildInfo> read(const std::string& section_bytes) {
  const std::string bytes =
      MadeElf{.sections = {{.name = ".go.buildinfo", .bytes = section_bytes}}}.bytes();
  BytesInMemory file(bytes);
  return read_build_info(file);
}

std::string framed(std::string_view modules) {
  return std::string(16, '<') + std::string(modules) + std::string(16, '>');
}

TEST(BuildInfo, TellsWhatTheProgramIs) {
  const auto info = read(section("go1.26.8", framed(kModules)));
  ASSERT_TRUE(info);
  EXPECT_EQ(info->go_version, "go1.26.8");
  EXPECT_EQ(info->path, "example.com/app/cmd");
  EXPECT_EQ(info->module, "example.com/app");
  EXPECT_EQ(info->module_version, "v1.2.3");
  EXPECT_EQ(info->revision, "0123abc");
  EXPECT_EQ(info->modified, "true");
  EXPECT_TRUE(info->cover);
  EXPECT_EQ(info->cover_packages, "./...");
}

TEST(BuildInfo, QuotedValuesAreUnquoted) {
  EXPECT_EQ(parse_build_info("go1", "build\t-coverpkg=\"a \\\"b\\\\\"\n").cover_packages,
            "a \"b\\");
  EXPECT_EQ(parse_build_info("go1", "build\t-coverpkg=`a \"b`\n").cover_packages, "a \"b");
}

TEST(BuildInfo, WithoutModulesThereIsTheVersion) {
  for (const std::string& modules : {std::string(), std::string(40, 'x')}) {
    const auto info = read(section("go1.20", modules));
    ASSERT_TRUE(info);
    EXPECT_EQ(info->go_version, "go1.20");
    EXPECT_EQ(info->module, "");
    EXPECT_FALSE(info->cover);
  }
}

TEST(BuildInfo, WhatIsDamagedIsNone) {
  EXPECT_FALSE(read(section("", kModules)));
  EXPECT_FALSE(read(section("go1.17", kModules, 0)));  // the strings are elsewhere
  const std::string whole = section("go1.26", framed(kModules));
  for (std::size_t size = 0; size + 4 < whole.size(); ++size) {
    EXPECT_FALSE(read(whole.substr(0, size))) << size;
  }
  std::string other = whole;
  other[3] = 'x';
  EXPECT_FALSE(read(other));
}

TEST(BuildInfo, OtherFilesHaveNone) {
  BytesInMemory text("#!/bin/sh\n");
  EXPECT_FALSE(read_build_info(text));
  const std::string bytes = MadeElf{.sections = {{.name = ".text"}}}.bytes();
  BytesInMemory elf(bytes);
  EXPECT_FALSE(read_build_info(elf));
}

}  // namespace
}  // namespace integcov::coverage
