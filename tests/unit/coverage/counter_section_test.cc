#include "coverage/counter_section.h"

#include <gtest/gtest.h>

#include <random>

namespace integcov::coverage {
namespace {

using Words = std::vector<std::uint32_t>;

constexpr std::uint32_t negative(int id) { return static_cast<std::uint32_t>(id); }

Walked walk(const Words& now, const Words& earlier, Counters& into, const PackageIds& ids = {}) {
  into.clear_functions();
  return walk_counters(now, earlier, ids, into);
}

TEST(CounterSection, FunctionsThatHaveRunAreListed) {
  // No function, one of two counters, two zeros, one whose counters were cleared, one of a single.
  const Words words{0, 2, 1, 7, 5, 0, 0, 0, 1, 3, 4, 0, 1, 9, 0, 6};
  Counters counters;
  ASSERT_EQ(walk(words, words, counters), Walked::whole);
  ASSERT_EQ(counters.functions.size(), 2U);
  EXPECT_EQ(counters.functions[0], (Counters::Function{0, 7, 0, 2}));
  EXPECT_EQ(counters.functions[1], (Counters::Function{8, 0, 2, 1}));
  EXPECT_EQ(counters.values, (Words{5, 0, 6}));
}

TEST(CounterSection, OneCopyAloneIsNotBelieved) {
  Counters counters;
  EXPECT_EQ(walk({1, 1, 0, 1}, {}, counters), Walked::moving);
  EXPECT_EQ(walk({0, 0, 0, 0}, {0, 0, 0, 0}, counters), Walked::whole);
}

TEST(CounterSection, CountersMayMoveBetweenTheCopies) {
  Counters counters;
  ASSERT_EQ(walk({2, 1, 0, 9, 4}, {2, 1, 0, 1, 0}, counters), Walked::whole);
  EXPECT_EQ(counters.values, (Words{9, 4}));
}

TEST(CounterSection, AFunctionThatWasBeingEnteredIsNotBelieved) {
  Counters counters;
  EXPECT_EQ(walk({2, 1, 3, 1, 0}, {0, 0, 0, 0, 0}, counters), Walked::moving);
  // The copy began before the function was entered and shows its end only.
  EXPECT_EQ(walk({0, 1, 3, 1, 0}, {0, 0, 0, 0, 0}, counters), Walked::moving);
  EXPECT_EQ(walk({0, 0, 0, 1, 0}, {0, 0, 0, 0, 0}, counters), Walked::moving);
  EXPECT_EQ(walk({2, 1, 0, 1, 0}, {2, 0, 0, 0, 0}, counters), Walked::moving);
}

TEST(CounterSection, ABuiltInNumberIsLookedUp) {
  const Words words{1, negative(-5), 2, 1};
  Counters counters;
  ASSERT_EQ(walk(words, words, counters, {{-5, 11}}), Walked::whole);
  EXPECT_EQ(counters.functions[0].package, 11U);
  EXPECT_EQ(walk(words, words, counters), Walked::unknown_package);
}

TEST(CounterSection, AFunctionOfAPackageWithoutANumberIsLeftOut) {
  const Words words{1, 0, 2, 1, 1, 1, 0, 1};
  Counters counters;
  ASSERT_EQ(walk(words, words, counters), Walked::whole);
  EXPECT_EQ(counters.functions.size(), 1U);
}

TEST(CounterSection, AFunctionThatPassesTheEndIsDamage) {
  Counters counters;
  for (const Words& words :
       {Words{1}, Words{1, 1}, Words{1, 1, 0}, Words{2, 1, 0, 1}, Words{0xffffffff, 1, 0, 1}}) {
    EXPECT_EQ(walk(words, words, counters), Walked::damaged);
  }
}

// A program that enters functions while its counters are copied word by word: whatever is believed
// is a function that is there, with counters between those at the copy's start and end.
TEST(CounterSection, NoTornCopyInventsAFunction) {
  std::mt19937 random(1);
  struct Function {
    std::size_t at;
    std::uint32_t count;
  };
  for (int round = 0; round < 2000; ++round) {
    std::vector<Function> functions;
    std::size_t size = 0;
    for (int i = 0; i < 12; ++i) {
      const std::uint32_t count = 1 + static_cast<std::uint32_t>(random() % 3);
      functions.push_back({size, count});
      size += 3 + count;
    }
    Words memory(size, 0);
    const auto run_one = [&] {
      const std::size_t index = random() % functions.size();
      const Function& function = functions[index];
      memory[function.at] = function.count;
      memory[function.at + 1] = 1 + static_cast<std::uint32_t>(index % 4);
      memory[function.at + 2] = static_cast<std::uint32_t>(index);
      ++memory[function.at + 3];
      if (random() % 2 == 0) ++memory[function.at + 3 + random() % function.count];
    };
    const auto copy = [&] {
      Words words;
      for (std::size_t i = 0; i < size; ++i) {
        if (random() % 16 == 0) run_one();
        words.push_back(memory[i]);
      }
      return words;
    };
    Words earlier = copy();
    Counters counters;
    Walked walked = Walked::moving;
    for (int tries = 0; tries < 50 && walked == Walked::moving; ++tries) {
      const Words now = copy();
      walked = walk(now, earlier, counters);
      earlier = now;
    }
    ASSERT_EQ(walked, Walked::whole);
    for (const auto& found : counters.functions) {
      ASSERT_LT(found.function, functions.size());
      EXPECT_EQ(found.package, found.function % 4);
      EXPECT_EQ(found.count, functions[found.function].count);
      for (std::size_t i = 0; i < found.count; ++i) {
        EXPECT_LE(counters.of(found)[i], memory[functions[found.function].at + 3 + i]);
      }
    }
  }
}

}  // namespace
}  // namespace integcov::coverage
