#include "config/spelling.h"

#include <gtest/gtest.h>

#include <array>

namespace integcov::config {
namespace {

TEST(EditDistance, CountsEdits) {
  EXPECT_EQ(edit_distance("", ""), 0U);
  EXPECT_EQ(edit_distance("storage", "storage"), 0U);
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("abc", ""), 3U);
  EXPECT_EQ(edit_distance("storge", "storage"), 1U);    // one is missing
  EXPECT_EQ(edit_distance("storrage", "storage"), 1U);  // one is too much
  EXPECT_EQ(edit_distance("storaje", "storage"), 1U);   // one is wrong
  EXPECT_EQ(edit_distance("sotrage", "storage"), 1U);   // two are swapped
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
}

TEST(EditDistance, IsTheSameBothWays) {
  EXPECT_EQ(edit_distance("abcd", "badce"), edit_distance("badce", "abcd"));
  EXPECT_EQ(edit_distance("abcd", "badce"), 3U);
}

TEST(Closest, FindsTheNearest) {
  constexpr std::array<std::string_view, 3> kKnown{"log-level", "log-format", "label"};
  EXPECT_EQ(closest("log-levle", kKnown), "log-level");
  EXPECT_EQ(closest("logformat", kKnown), "log-format");
  EXPECT_EQ(closest("LABEL", kKnown), "label");
  EXPECT_EQ(closest("verbose", kKnown), std::nullopt);
  EXPECT_EQ(closest("", kKnown), std::nullopt);
}

TEST(Closest, PrefersTheFirstOfEquallyNearOnes) {
  constexpr std::array<std::string_view, 2> kKnown{"cart", "care"};
  EXPECT_EQ(closest("card", kKnown), "cart");
}

TEST(Closest, IsStricterWithShortNames) {
  constexpr std::array<std::string_view, 3> kKnown{"grace", "storage", "integcov_upload_timeout"};
  EXPECT_EQ(closest("grcae", kKnown), "grace");
  EXPECT_EQ(closest("gracias", kKnown), std::nullopt);
  EXPECT_EQ(closest("strge", kKnown), "storage");
  EXPECT_EQ(closest("strg", kKnown), std::nullopt);
  EXPECT_EQ(closest("integcov_upld_timout", kKnown), "integcov_upload_timeout");
  EXPECT_EQ(closest("integcov_upld_timot", kKnown), std::nullopt);
}

}  // namespace
}  // namespace integcov::config
