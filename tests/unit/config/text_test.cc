#include "config/text.h"

#include <gtest/gtest.h>

#include "base/encoding.h"

namespace integcov::config {
namespace {

TEST(Quote, ShowsShortValuesAsTheyAre) {
  EXPECT_EQ(quote("gs://b/ä b#1"), "\"gs://b/ä b#1\"");
  EXPECT_EQ(quote(""), "\"\"");
}

TEST(Quote, EscapesWhatCouldForgeALogLine) { EXPECT_EQ(quote("a\nb\x1b["), "\"a\\x0ab\\x1b[\""); }

TEST(Quote, CutsLongValues) {
  EXPECT_EQ(quote(std::string(80, 'x')), '"' + std::string(80, 'x') + '"');
  EXPECT_EQ(quote(std::string(81, 'x')), '"' + std::string(80, 'x') + "...\"");
}

TEST(Quote, NeverCutsACharacterInTwo) {
  for (std::size_t lead = 70; lead < 80; ++lead) {
    const std::string text = quote(std::string(lead, 'x') + "€€€€€€");
    EXPECT_TRUE(is_valid_utf8(text)) << text;
    EXPECT_TRUE(text.ends_with("...\"")) << text;
  }
}

TEST(Lower, ChangesAsciiLettersOnly) { EXPECT_EQ(lower("SigRTMIN+3 Ä_@["), "sigrtmin+3 Ä_@["); }

TEST(Trim, TakesSpacesAndTabsFromBothEnds) {
  EXPECT_EQ(trim(" \ta b\t "), "a b");
  EXPECT_EQ(trim("a"), "a");
  EXPECT_EQ(trim(" \t "), "");
  EXPECT_EQ(trim(""), "");
}

TEST(ParseDigits, TakesDigitsOnly) {
  EXPECT_EQ(parse_digits("0"), 0U);
  EXPECT_EQ(parse_digits("0042"), 42U);
  for (const char* bad : {"", "-1", "+1", " 1", "1 ", "1k", "0x1"}) {
    EXPECT_FALSE(parse_digits(bad)) << bad;
  }
}

TEST(ParseDigits, EndsAt64Bits) {
  EXPECT_EQ(parse_digits("18446744073709551615"), 18446744073709551615U);
  EXPECT_FALSE(parse_digits("18446744073709551616"));
}

}  // namespace
}  // namespace integcov::config
