#include "coverage/leb128.h"

#include <gtest/gtest.h>

namespace integcov::coverage {
namespace {

std::string uleb(std::uint64_t value) {
  std::string out;
  append_uleb(out, value);
  return out;
}

TEST(Leb128, WritesSevenBitsAByteLowFirst) {
  EXPECT_EQ(uleb(0), std::string(1, '\0'));
  EXPECT_EQ(uleb(127), "\x7f");
  EXPECT_EQ(uleb(128), "\x80\x01");
  EXPECT_EQ(uleb(624485), "\xe5\x8e\x26");
  EXPECT_EQ(uleb(~std::uint64_t{0}), "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01");
}

TEST(Leb128, ReadsWhatItWrites) {
  for (int shift = 0; shift < 64; ++shift) {
    for (const std::uint64_t value : {std::uint64_t{1} << shift, (std::uint64_t{1} << shift) - 1}) {
      const std::string bytes = uleb(value) + "x";
      Reader reader(bytes);
      EXPECT_EQ(reader.uleb(), value);
      EXPECT_EQ(reader.left(), 1U);
    }
  }
}

TEST(Leb128, RefusesWhatHasNoEndOrDoesNotFit) {
  EXPECT_EQ(Reader("").uleb(), std::nullopt);
  EXPECT_EQ(Reader("\x80").uleb(), std::nullopt);
  EXPECT_EQ(Reader(std::string(9, '\xff') + "\x02").uleb(), std::nullopt);
  EXPECT_EQ(Reader(std::string(10, '\x80') + "\x01").uleb(), std::nullopt);
  EXPECT_EQ(Reader(uleb(0xffffffff)).uleb32(), 0xffffffffU);
  EXPECT_EQ(Reader(uleb(0x100000000)).uleb32(), std::nullopt);
}

TEST(Reader, NeverPassesTheEnd) {
  Reader reader("\x01\x02\x03\x04\x05\x06\x07");
  EXPECT_EQ(reader.u64(), std::nullopt);
  EXPECT_EQ(reader.take(8), std::nullopt);
  EXPECT_EQ(reader.take(~std::uint64_t{0}), std::nullopt);
  EXPECT_EQ(reader.u32(), 0x04030201U);
  EXPECT_EQ(reader.u32(), std::nullopt);
  EXPECT_EQ(reader.take(3), "\x05\x06\x07");
  EXPECT_EQ(reader.left(), 0U);
  EXPECT_EQ(Reader("\x01\x02\x03\x04").u32(true), 0x01020304U);
  EXPECT_EQ(Reader("\x01\x02\x03\x04\x05\x06\x07\x08").u64(), 0x0807060504030201U);
}

}  // namespace
}  // namespace integcov::coverage
