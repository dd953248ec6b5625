#include "base/crc32c.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace integcov {
namespace {

std::string counting(int first, int step) {
  std::string bytes;
  for (int i = 0; i < 32; ++i) bytes += static_cast<char>(first + i * step);
  return bytes;
}

TEST(Crc32c, MatchesTheVectorsOfRfc3720) {
  EXPECT_EQ(crc32c(0, std::string(32, '\0')), 0x8a9136aaU);
  EXPECT_EQ(crc32c(0, std::string(32, '\xff')), 0x62a8ab43U);
  EXPECT_EQ(crc32c(0, counting(0, 1)), 0x46dd794eU);
  EXPECT_EQ(crc32c(0, counting(31, -1)), 0x113fdb5cU);
  EXPECT_EQ(crc32c(0, "123456789"), 0xe3069283U);
  EXPECT_EQ(crc32c(0, ""), 0U);
}

TEST(Crc32c, ThePortableOneMatchesThemToo) {
  EXPECT_EQ(crc32c_portable(0, std::string(32, '\0')), 0x8a9136aaU);
  EXPECT_EQ(crc32c_portable(0, counting(31, -1)), 0x113fdb5cU);
  EXPECT_EQ(crc32c_portable(0, "123456789"), 0xe3069283U);
}

TEST(Crc32c, BothImplementationsAgreeOnEveryLengthAndAlignment) {
  if (!crc32c_has_hardware()) GTEST_SKIP() << "no hardware CRC here";
  std::mt19937_64 random(3);
  std::string bytes(4096, '\0');
  for (char& c : bytes) c = static_cast<char>(random());
  const std::string_view all = bytes;
  for (std::size_t offset = 0; offset < 16; ++offset) {
    for (std::size_t size = 0; size < 64; ++size) {
      const auto part = all.substr(offset, size);
      ASSERT_EQ(crc32c(0, part), crc32c_portable(0, part)) << offset << ' ' << size;
    }
  }
  for (int round = 0; round < 500; ++round) {
    const auto part = all.substr(random() % 100, random() % 3900);
    const auto before = static_cast<std::uint32_t>(random());
    ASSERT_EQ(crc32c(before, part), crc32c_portable(before, part));
  }
}

TEST(Crc32c, APieceAfterAnotherIsTheWhole) {
  std::mt19937_64 random(4);
  std::string bytes(10'000, '\0');
  for (char& c : bytes) c = static_cast<char>(random());
  for (int round = 0; round < 50; ++round) {
    std::uint32_t crc = 0;
    for (std::string_view rest = bytes; !rest.empty();) {
      const std::size_t size = std::min<std::size_t>(rest.size(), random() % 700);
      crc = crc32c(crc, rest.substr(0, size));
      rest.remove_prefix(size);
    }
    ASSERT_EQ(crc, crc32c(0, bytes));
  }
}

TEST(Crc32c, IsWrittenAsGcsWritesIt) {
  // The four bytes, most significant first: 00 00 00 00, e3 06 92 83.
  EXPECT_EQ(crc32c_base64(0), "AAAAAA==");
  EXPECT_EQ(crc32c_base64(0xe3069283U), "4waSgw==");
}

}  // namespace
}  // namespace integcov
