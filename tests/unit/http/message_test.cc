#include "http/message.h"

#include <gtest/gtest.h>

namespace integcov::http {
namespace {

TEST(FindHeader, ComparesNamesWithoutCaseAndTakesTheFirst) {
  const Headers headers{{"Range", "bytes=0-9"}, {"LOCATION", "first"}, {"location", "second"}};
  EXPECT_EQ(find_header(headers, "Location"), "first");
  EXPECT_EQ(find_header(headers, "range"), "bytes=0-9");
  EXPECT_EQ(find_header(headers, "Rang"), std::nullopt);
  EXPECT_EQ(find_header({}, "Range"), std::nullopt);
}

TEST(BodySize, AddsTextAndFileRanges) {
  EXPECT_EQ(body_size({}), 0U);
  EXPECT_EQ(body_size({"abc", FileRange{-1, 7, 5'000'000'000}, ""}), 5'000'000'003U);
}

}  // namespace
}  // namespace integcov::http
