#include <gtest/gtest.h>

#include "coverage/counters.h"
#include "coverage/leb128.h"

namespace integcov::coverage {
namespace {

using Values = std::vector<std::uint32_t>;

std::string little(std::uint64_t value, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> 8 * i);
  return out;
}

const std::string kMagic("\0cwm", 4);

std::string header(char flavor = 2, char big_endian = 0) {
  return kMagic + little(1, 4) + "0123456789abcdef" + flavor + big_endian + std::string(6, '\0');
}

std::string footer(std::uint64_t segments) {
  return kMagic + little(0, 4) + little(segments, 4) + little(0, 4);
}

// Strings "", "k", "v"; arguments k = v.
const std::string kStrings("\3\0\1k\1v", 6);
const std::string kArgs("\1\1\2\0\0\0", 6);

std::string segment(std::uint64_t functions, const std::string& records) {
  return little(functions, 8) + little(kStrings.size(), 4) + little(kArgs.size(), 4) + kStrings +
         kArgs + records;
}

const std::string kTwoRecords(
    "\2\0\5\1\x80\1"
    "\1\3\0\7",
    10);  // f(0,5) = 1 128, f(3,0) = 7

TEST(CountersFile, IsRead) {
  const auto counters = parse_counters(header() + segment(2, kTwoRecords) + footer(1));
  ASSERT_TRUE(counters) << counters.message();
  EXPECT_EQ(hex(counters->hash), "30313233343536373839616263646566");
  ASSERT_EQ(counters->args.size(), 1U);
  EXPECT_EQ(counters->args[0], std::pair(std::string("k"), std::string("v")));
  ASSERT_EQ(counters->functions.size(), 2U);
  EXPECT_EQ(counters->functions[0], (Counters::Function{0, 5, 0, 2}));
  EXPECT_EQ(counters->functions[1], (Counters::Function{3, 0, 2, 1}));
  EXPECT_EQ(counters->values, (Values{1, 128, 7}));
}

TEST(CountersFile, RawCountersAreReadInBothByteOrders) {
  std::string low;
  std::string high;
  for (const char value : {'\1', '\2', '\3', '\4'}) {
    low += little(static_cast<std::uint64_t>(value), 4);
    high += std::string(3, '\0') + value;
  }
  for (const auto& bytes :
       {header(1) + segment(1, low) + footer(1), header(1, 1) + segment(1, high) + footer(1)}) {
    const auto counters = parse_counters(bytes);
    ASSERT_TRUE(counters) << counters.message();
    EXPECT_EQ(counters->functions[0], (Counters::Function{2, 3, 0, 1}));
    EXPECT_EQ(counters->values, Values{4});
  }
}

TEST(CountersFile, Go120WritesMoreFunctionsThanItSays) {
  const auto counters = parse_counters(header() + segment(1, kTwoRecords) + footer(1));
  ASSERT_TRUE(counters) << counters.message();
  EXPECT_EQ(counters->functions.size(), 2U);
  EXPECT_FALSE(parse_counters(header() + segment(3, kTwoRecords) + footer(1)));
}

TEST(CountersFile, SegmentsAreAddedUp) {
  const std::string most("\1\3\0\xff\xff\xff\xff\x0f", 8);  // f(3,0) = 2^32 - 1
  const auto counters =
      parse_counters(header() + segment(2, kTwoRecords) + footer(1) + segment(1, most) + footer(2));
  ASSERT_TRUE(counters) << counters.message();
  EXPECT_EQ(counters->functions.size(), 2U);
  EXPECT_EQ(counters->values, (Values{1, 128, 0xffffffff}));
  EXPECT_EQ(counters->args.size(), 1U);

  const std::string longer("\2\3\0\1\1", 5);
  EXPECT_FALSE(parse_counters(header() + segment(2, kTwoRecords) + footer(1) + segment(1, longer) +
                              footer(2)));
  EXPECT_FALSE(parse_counters(header() + segment(2, kTwoRecords) + footer(2) + segment(1, most) +
                              footer(2)));
}

TEST(CountersFile, WhatIsWrittenReadsTheSame) {
  Counters counters;
  counters.hash.fill('h');
  counters.args = {{"argc", "2"}, {"argv0", "app"}, {"argv1", ""}, {"argv2", "app"}};
  counters.add(0, 1, Values{0, 1, 127, 128});
  counters.add(70000, 0, Values{0xffffffff});
  counters.add(1, 1, Values{});
  const std::string bytes = write_counters(counters);
  const auto read = parse_counters(bytes);
  ASSERT_TRUE(read) << read.message();
  EXPECT_EQ(*read, counters);
  EXPECT_EQ(write_counters(*read), bytes);

  const auto empty = parse_counters(write_counters({}));
  ASSERT_TRUE(empty) << empty.message();
  EXPECT_EQ(*empty, Counters{});
}

TEST(CountersFile, ArgumentsAreSortedAndPadded) {
  Counters counters;
  counters.args = {{"b", "x"}, {"a", "x"}};
  const std::string bytes = write_counters(counters);
  EXPECT_EQ(bytes.size() % 4, 0U);
  const auto read = parse_counters(bytes);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->args[0].first, "a");
}

TEST(CountersFile, NoTruncationIsTakenForAFile) {
  const std::string whole = header() + segment(2, kTwoRecords) + footer(1);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(parse_counters(whole.substr(0, size))) << size;
  }
  EXPECT_FALSE(parse_counters(whole + '\0'));
  EXPECT_FALSE(parse_counters(whole + footer(1)));
}

TEST(CountersFile, DamagedFieldsAreRefused) {
  const std::string whole = header() + segment(2, kTwoRecords) + footer(1);
  const auto with = [&](std::size_t at, const std::string& bytes) {
    return std::string(whole).replace(at, bytes.size(), bytes);
  };
  EXPECT_FALSE(parse_counters(with(0, "x")));                    // magic
  EXPECT_FALSE(parse_counters(with(4, little(2, 4))));           // version
  EXPECT_FALSE(parse_counters(with(24, std::string("\3", 1))));  // encoding
  EXPECT_FALSE(parse_counters(with(32, little(~0ULL, 8))));      // functions
  EXPECT_FALSE(parse_counters(with(40, little(~0U, 4))));        // length of the strings
  EXPECT_FALSE(parse_counters(with(44, little(~0U, 4))));        // length of the arguments
  EXPECT_FALSE(parse_counters(with(48, "\x7f")));                // number of strings
  EXPECT_FALSE(parse_counters(with(50, "\x7f")));                // length of a string
  EXPECT_FALSE(parse_counters(with(54, "\x7f")));                // number of arguments
  EXPECT_FALSE(parse_counters(with(56, "\3")));                  // index of a string
  EXPECT_FALSE(parse_counters(with(60, "\x7f")));                // number of counters
  EXPECT_FALSE(parse_counters(with(whole.size() - 8, little(0, 4))));
  EXPECT_FALSE(parse_counters(with(whole.size() - 8, little(~0U, 4))));
}

TEST(CountersFile, EqualStringsThatGrowOutOfBoundsAreRefused) {
  // 100,000 arguments that are all the same long text: 100 GB from a file of a megabyte.
  std::string strings;
  append_uleb(strings, 1);
  append_uleb(strings, 1 << 20);
  strings.append(1 << 20, 'a');
  std::string args;
  append_uleb(args, 100000);
  args.append(200000, '\0');
  const std::string bytes = header() + little(0, 8) + little(strings.size(), 4) +
                            little(args.size(), 4) + strings + args + footer(1);
  EXPECT_FALSE(parse_counters(bytes));
}

}  // namespace
}  // namespace integcov::coverage
