#include "base/log_format.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "unit/base/json_check.h"

namespace integcov {
namespace {

using testing::JsonCheck;

WallTime at(std::int64_t ns) { return WallTime(Duration(ns)); }

TEST(TextLog, SaysWhoSpeaksAndHowBadItIs) {
  EXPECT_EQ(format_text({Severity::debug, "m"}, false), "go-integcov: debug: m\n");
  EXPECT_EQ(format_text({Severity::info, "m"}, false), "go-integcov: m\n");
  EXPECT_EQ(format_text({Severity::notice, "m"}, false), "go-integcov: m\n");
  EXPECT_EQ(format_text({Severity::warning, "m"}, false), "go-integcov: warning: m\n");
  EXPECT_EQ(format_text({Severity::error, "m"}, false), "go-integcov: error: m\n");
}

TEST(TextLog, ColoursOnlyTheWord) {
  EXPECT_EQ(format_text({Severity::warning, "m"}, true),
            "go-integcov: \x1b[33mwarning: \x1b[0mm\n");
  EXPECT_EQ(format_text({Severity::error, "m"}, true), "go-integcov: \x1b[31merror: \x1b[0mm\n");
  EXPECT_EQ(format_text({Severity::info, "m"}, true), "go-integcov: m\n");
}

TEST(TextLog, IsOneLineWhateverTheMessage) {
  EXPECT_EQ(format_text({Severity::info, "a\nb\x1b[1m"}, true), "go-integcov: a\\x0ab\\x1b[1m\n");
}

TEST(JsonLog, HasTheFieldsThatCloudLoggingReads) {
  EXPECT_EQ(format_json({Severity::warning, "no \"x\""}, at(1'763'861'160'000'000'001),
                        {{"instance", "i-1"}, {"run", "r"}}),
            "{\"severity\":\"WARNING\",\"message\":\"go-integcov: no \\\"x\\\"\","
            "\"time\":\"2025-11-23T01:26:00.000000001Z\","
            "\"logging.googleapis.com/labels\":{\"instance\":\"i-1\",\"run\":\"r\"}}\n");
}

TEST(JsonLog, LeavesOutEmptyLabels) {
  EXPECT_EQ(format_json({Severity::info, ""}, at(0), {}),
            "{\"severity\":\"INFO\",\"message\":\"go-integcov: \","
            "\"time\":\"1970-01-01T00:00:00.000000000Z\"}\n");
}

TEST(JsonLog, IsOneValidLineWhateverTheBytes) {
  std::mt19937_64 random(5);
  const auto text = [&] {
    std::string bytes(random() % 20, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    return bytes;
  };
  for (int round = 0; round < 2000; ++round) {
    const auto severity = static_cast<Severity>(random() % 5);
    std::string line = format_json({severity, text()}, at(static_cast<std::int64_t>(random())),
                                   {{text(), text()}, {text(), text()}});
    ASSERT_EQ(line.find('\n'), line.size() - 1) << line;
    line.pop_back();
    ASSERT_TRUE(JsonCheck::valid(line)) << line;
  }
}

TEST(Severity, HasCloudLoggingsNames) {
  EXPECT_EQ(severity_name(Severity::debug), "DEBUG");
  EXPECT_EQ(severity_name(Severity::info), "INFO");
  EXPECT_EQ(severity_name(Severity::notice), "NOTICE");
  EXPECT_EQ(severity_name(Severity::warning), "WARNING");
  EXPECT_EQ(severity_name(Severity::error), "ERROR");
}

TEST(Rfc3339, KnowsLeapDaysAndTheTimeBeforeTheEpoch) {
  EXPECT_EQ(format_rfc3339(at(1'709'164'800'000'000'000)), "2024-02-29T00:00:00.000000000Z");
  EXPECT_EQ(format_rfc3339(at(-1)), "1969-12-31T23:59:59.999999999Z");
  EXPECT_EQ(format_rfc3339(at(std::numeric_limits<std::int64_t>::max())),
            "2262-04-11T23:47:16.854775807Z");
}

TEST(Counts, HaveAPlural) {
  EXPECT_EQ(count_of(0, "file"), "0 files");
  EXPECT_EQ(count_of(1, "file"), "1 file");
  EXPECT_EQ(count_of(12, "file"), "12 files");
}

TEST(Bytes, AreRoundedIntoTheUnitThatFits) {
  EXPECT_EQ(format_bytes(0), "0 B");
  EXPECT_EQ(format_bytes(999), "999 B");
  EXPECT_EQ(format_bytes(1000), "1.0 kB");
  EXPECT_EQ(format_bytes(1449), "1.4 kB");
  EXPECT_EQ(format_bytes(999'949), "999.9 kB");
  EXPECT_EQ(format_bytes(999'950), "1.0 MB") << "never 1000.0 kB";
  EXPECT_EQ(format_bytes(1'400'000), "1.4 MB");
  EXPECT_EQ(format_bytes(std::numeric_limits<std::uint64_t>::max()), "18446.7 PB");
}

}  // namespace
}  // namespace integcov
