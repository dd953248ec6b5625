#include "coverage/counters.h"

#include <gtest/gtest.h>

namespace integcov::coverage {
namespace {

using Values = std::vector<std::uint32_t>;
struct Entry {
  std::uint32_t package;
  std::uint32_t function;
  Values values;
};

MetaHash hash_of(char c) {
  MetaHash hash{};
  hash.fill(c);
  return hash;
}

Counters counters(const std::vector<Entry>& entries, char hash = 'h') {
  Counters made;
  made.hash = hash_of(hash);
  for (const Entry& entry : entries) made.add(entry.package, entry.function, entry.values);
  return made;
}

constexpr std::uint32_t kHalf = std::uint32_t{1} << 31;
constexpr std::uint32_t kMost = ~std::uint32_t{0};

TEST(Counters, HashIsTheDigitsOfTheName) {
  MetaHash hash = hash_of('\0');
  hash[0] = '\x0a';
  hash[15] = '\xff';
  EXPECT_EQ(hex(hash), "0a0000000000000000000000000000ff");
}

TEST(Counters, FunctionsShareOneStorage) {
  const Counters two = counters({{0, 1, {1, 2}}, {3, 0, {5}}});
  EXPECT_EQ(two.values, (Values{1, 2, 5}));
  EXPECT_EQ(two.of(two.functions[0]).size(), 2U);
  EXPECT_EQ(two.of(two.functions[1])[0], 5U);
}

TEST(Growth, EqualCountersAreEqual) {
  const Counters one = counters({{0, 0, {1, 0, 2}}, {0, 2, {7}}});
  EXPECT_EQ(compare(one, one), Growth::equal);
  EXPECT_EQ(compare(counters({}), counters({})), Growth::equal);
}

TEST(Growth, LargerCountersAndNewFunctionsHaveGrown) {
  const Counters older = counters({{0, 1, {1, 0}}, {0, 3, {1}}});
  EXPECT_EQ(compare(older, counters({{0, 1, {1, 1}}, {0, 3, {1}}})), Growth::grown);
  EXPECT_EQ(compare(older, counters({{0, 0, {4}}, {0, 1, {1, 0}}, {0, 2, {4}}, {0, 3, {1}}})),
            Growth::grown);
  EXPECT_EQ(compare(counters({}), older), Growth::grown);
}

TEST(Growth, AnySmallerCounterIsAnotherProcess) {
  const Counters older = counters({{0, 1, {5, 5}}});
  EXPECT_EQ(compare(older, counters({{0, 1, {9, 4}}})), Growth::smaller);
  EXPECT_EQ(compare(counters({{0, 1, {kHalf - 1}}}), counters({{0, 1, {0}}})), Growth::smaller);
  EXPECT_EQ(compare(counters({{0, 1, {kMost}}}), counters({{0, 1, {kHalf}}})), Growth::smaller);
}

TEST(Growth, AnotherProgramIsAnotherProcess) {
  EXPECT_EQ(compare(counters({{0, 1, {1}}}, 'a'), counters({{0, 1, {1}}}, 'b')), Growth::smaller);
  EXPECT_EQ(compare(counters({{0, 1, {1}}}), counters({{0, 1, {1, 0}}})), Growth::smaller);
}

TEST(Growth, ACounterMayPassItsLargestValue) {
  EXPECT_EQ(compare(counters({{0, 1, {kHalf, 5}}}), counters({{0, 1, {kHalf - 1, 6}}})),
            Growth::wrapped);
  EXPECT_EQ(compare(counters({{0, 1, {kMost, 5}}}), counters({{0, 1, {0, 4}}})), Growth::smaller);
}

TEST(Growth, AFunctionThatIsNotThereHasCountersOfZero) {
  EXPECT_EQ(compare(counters({{0, 1, {1}}, {0, 2, {1}}}), counters({{0, 2, {1}}})),
            Growth::smaller);
  EXPECT_EQ(compare(counters({{0, 1, {kMost, 0}}, {0, 2, {1}}}), counters({{0, 2, {1}}})),
            Growth::wrapped);
  EXPECT_EQ(compare(counters({{0, 1, {0, 0}}}), counters({})), Growth::equal);
}

TEST(Growth, TheOrderOfFunctionsDoesNotMatter) {
  const Counters older = counters({{0, 1, {1}}, {1, 0, {2}}, {0, 7, {3}}});
  EXPECT_EQ(compare(older, counters({{1, 0, {2}}, {0, 7, {3}}, {0, 1, {1}}})), Growth::equal);
  EXPECT_EQ(compare(older, counters({{5, 5, {1}}, {1, 0, {2}}, {0, 7, {3}}, {0, 1, {1}}})),
            Growth::grown);
  EXPECT_EQ(compare(older, counters({{1, 0, {2}}, {0, 1, {1}}})), Growth::smaller);
}

}  // namespace
}  // namespace integcov::coverage
