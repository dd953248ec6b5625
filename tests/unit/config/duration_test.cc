#include "config/duration.h"

#include <gtest/gtest.h>

#include <limits>
#include <utility>

namespace integcov::config {
namespace {

using namespace std::chrono_literals;

Duration parsed(std::string_view text) {
  const Result<Duration> duration = parse_duration(text);
  EXPECT_TRUE(duration.ok()) << (duration.ok() ? "" : duration.message());
  return duration ? *duration : Duration{-1};
}

TEST(ParseDuration, ReadsEveryUnit) {
  EXPECT_EQ(parsed("7ns"), 7ns);
  EXPECT_EQ(parsed("7us"), 7us);
  EXPECT_EQ(parsed("7\u00b5s"), 7us);
  EXPECT_EQ(parsed("7\u03bcs"), 7us);
  EXPECT_EQ(parsed("300ms"), 300ms);
  EXPECT_EQ(parsed("10s"), 10s);
  EXPECT_EQ(parsed("2m"), 2min);
  EXPECT_EQ(parsed("3h"), 3h);
}

TEST(ParseDuration, AddsUpSeveralParts) {
  EXPECT_EQ(parsed("1m30s"), 90s);
  EXPECT_EQ(parsed("1h2m3s4ms5us6ns"), 1h + 2min + 3s + 4ms + 5us + 6ns);
  EXPECT_EQ(parsed("30s1m"), 90s);
}

TEST(ParseDuration, ReadsFractions) {
  EXPECT_EQ(parsed("1.5h"), 90min);
  EXPECT_EQ(parsed(".5s"), 500ms);
  EXPECT_EQ(parsed("5.s"), 5s);
  EXPECT_EQ(parsed("0.3333333333333333333h"), 20min);  // rounded as Go does
  EXPECT_EQ(parsed("0.100000000000000000000h"), 6min);
  EXPECT_EQ(parsed("0.9223372036854775807h"), 3320413933267ns);
}

TEST(ParseDuration, NeedsNoUnitForZero) {
  for (const char* zero : {"0", "+0", "-0", "0s", "-0s", "0h0m"}) EXPECT_EQ(parsed(zero), 0s);
}

TEST(ParseDuration, TakesAPlusSign) { EXPECT_EQ(parsed("+5s"), 5s); }

TEST(ParseDuration, ReachesTheLongestDuration) {
  EXPECT_EQ(parsed("9223372036854775807ns"), Duration::max());
  EXPECT_EQ(parsed("2562047h47m16.854775807s"), Duration::max());
}

TEST(ParseDuration, SaysWhatIsWrong) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "\"\" is not a duration"},
      {"-", "\"-\" is not a duration"},
      {"s", "\"s\" is not a duration"},
      {".s", "\".s\" is not a duration"},
      {" 1s", "\" 1s\" is not a duration"},
      {"10", "\"10\" has a number without a unit"},
      {"1m30", "\"1m30\" has a number without a unit"},
      {"1.2.3s", "\"1.2.3s\" has a number without a unit"},
      {"1 s", "\"1 s\" has an unknown unit"},
      {"1d", "\"1d\" has an unknown unit"},
      {"1S", "\"1S\" has an unknown unit"},
      {"-1s", "\"-1s\" is negative"},
      {"9223372036854775808ns", "\"9223372036854775808ns\" is too long"},
      {"2562048h", "\"2562048h\" is too long"},
      {"2562047h48m", "\"2562047h48m\" is too long"},
      {"99999999999999999999s", "\"99999999999999999999s\" is too long"},
  };
  for (const auto& [text, why] : cases) {
    const Result<Duration> duration = parse_duration(text);
    ASSERT_FALSE(duration.ok()) << text;
    EXPECT_EQ(duration.message(),
              std::string(why) + "; expected a duration such as 10s, 1m30s or 300ms");
  }
}

TEST(FormatDuration, LooksLikeGo) {
  EXPECT_EQ(format_duration(0s), "0s");
  EXPECT_EQ(format_duration(1ns), "1ns");
  EXPECT_EQ(format_duration(1100ns), "1.1\u00b5s");
  EXPECT_EQ(format_duration(2200us), "2.2ms");
  EXPECT_EQ(format_duration(10s), "10s");
  EXPECT_EQ(format_duration(1500ms), "1.5s");
  EXPECT_EQ(format_duration(60s), "1m0s");
  EXPECT_EQ(format_duration(90s), "1m30s");
  EXPECT_EQ(format_duration(1h), "1h0m0s");
  EXPECT_EQ(format_duration(5min + 1ms), "5m0.001s");
  EXPECT_EQ(format_duration(-90s), "-1m30s");
}

TEST(FormatDuration, CoversBothEnds) {
  EXPECT_EQ(format_duration(Duration::max()), "2562047h47m16.854775807s");
  EXPECT_EQ(format_duration(Duration::min()), "-2562047h47m16.854775808s");
}

TEST(FormatDuration, IsReadBack) {
  for (const Duration d : {Duration{1}, Duration{999'999}, Duration{1'000'001}, Duration{61s},
                           Duration{3h + 1ns}, Duration::max()}) {
    EXPECT_EQ(parsed(format_duration(d)), d);
  }
}

}  // namespace
}  // namespace integcov::config
