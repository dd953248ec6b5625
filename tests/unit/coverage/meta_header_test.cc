#include "coverage/meta_header.h"

#include <gtest/gtest.h>

namespace integcov::coverage {
namespace {

// As Go 1.26 wrote it for a program of one package, in atomic mode.
std::string header(char mode = 3) {
  std::string bytes("\0cvm\1\0\0\0", 8);
  bytes += std::string("\x2c\1\0\0\0\0\0\0", 8);  // 300 bytes
  bytes += std::string("\1\0\0\0\0\0\0\0", 8);    // one package
  bytes += "0123456789abcdef";                    // the hash
  bytes += std::string("\x48\0\0\0\2\0\0\0", 8);
  bytes += mode;
  bytes += std::string("\1\0\0\0\0\0\0", 7);
  return bytes;
}

TEST(MetaHeader, HasHashModeAndLength) {
  for (const CounterMode mode : {CounterMode::set, CounterMode::count, CounterMode::atomic}) {
    const auto parsed = parse_meta_header(header(static_cast<char>(mode)) + "and the rest");
    ASSERT_TRUE(parsed);
    EXPECT_EQ(std::string(parsed->hash.data(), parsed->hash.size()), "0123456789abcdef");
    EXPECT_EQ(parsed->mode, mode);
    EXPECT_EQ(parsed->total_length, 300U);
    EXPECT_EQ(parsed->packages, 1U);
  }
}

TEST(MetaHeader, RefusesWhatIsNone) {
  for (std::size_t size = 0; size < kMetaHeaderSize; ++size) {
    EXPECT_FALSE(parse_meta_header(header().substr(0, size))) << size;
  }
  for (const int mode : {0, 4, 5, 77, -1}) {
    EXPECT_FALSE(parse_meta_header(header(static_cast<char>(mode))));
  }
  std::string bytes = header();
  bytes[3] = 'x';
  EXPECT_FALSE(parse_meta_header(bytes));
  bytes = header();
  bytes[4] = 2;
  EXPECT_FALSE(parse_meta_header(bytes));
}

}  // namespace
}  // namespace integcov::coverage
