#include "auth/rfc3339.h"

#include <gtest/gtest.h>

namespace integcov::auth {
namespace {

using namespace std::chrono_literals;

TEST(ParseRfc3339, ReadsWhatGooglesApisWrite) {
  EXPECT_EQ(parse_rfc3339("1970-01-01T00:00:00Z"), WallTime{});
  EXPECT_EQ(parse_rfc3339("2027-01-15T08:00:00Z"), WallTime{1'800'000'000s});
  EXPECT_EQ(parse_rfc3339("2024-02-29T23:59:59Z"), WallTime{1'709'251'199s});
}

TEST(ParseRfc3339, ReadsFractionsAndOffsets) {
  const WallTime time{1'800'000'000s};
  EXPECT_EQ(parse_rfc3339("2027-01-15T08:00:00.5Z"), time + 500ms);
  EXPECT_EQ(parse_rfc3339("2027-01-15T08:00:00.123456789123Z"), time + 123'456'789ns);
  EXPECT_EQ(parse_rfc3339("2027-01-15T10:30:00+02:30"), time);
  EXPECT_EQ(parse_rfc3339("2027-01-14T23:30:00-08:30"), time);
}

TEST(ParseRfc3339, RefusesTheRest) {
  for (const char* text :
       {"", "2027-01-15", "2027-01-15T08:00:00", "2027-01-15 08:00:00Z", "2027-13-15T08:00:00Z",
        "2027-02-29T08:00:00Z", "2027-01-00T08:00:00Z", "2027-01-15T24:00:00Z",
        "2027-01-15T08:60:00Z", "2027-01-15T08:00:61Z", "2027-01-15T08:00:00.Z",
        "2027-01-15T08:00:00+2:00", "2027-01-15T08:00:00+24:00", "2027-01-15T08:00:00Zx",
        "0000-01-15T08:00:00Z", "9999-01-15T08:00:00Z", "-027-01-15T08:00:00Z", "1800000000"})
    EXPECT_EQ(parse_rfc3339(text), std::nullopt) << text;
}

}  // namespace
}  // namespace integcov::auth
