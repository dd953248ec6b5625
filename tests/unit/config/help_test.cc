#include "config/help.h"

#include <gtest/gtest.h>

#include <sstream>

#include "config/settings.h"

namespace integcov::config {
namespace {

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST(Help, ShowsEverySetting) {
  const std::string text = help_text();
  for (const Setting& setting : settings()) {
    EXPECT_TRUE(has(text, "  --" + std::string(setting.flag))) << setting.flag;
    EXPECT_TRUE(has(text, setting.env)) << setting.env;
    EXPECT_TRUE(has(text, setting.placeholder)) << setting.flag;
  }
  EXPECT_TRUE(has(text, "--help"));
  EXPECT_TRUE(has(text, "--version"));
  EXPECT_TRUE(has(text, "--install PATH"));
  EXPECT_TRUE(has(text, "(default 10s)"));
  EXPECT_TRUE(has(text, "(default /tmp/integcov)"));
}

TEST(Help, BeginsWithUsageAndExamples) {
  const std::string text = help_text();
  EXPECT_TRUE(has(text, "Usage:\n  go-integcov [OPTIONS] [--] PROGRAM [ARGUMENTS...]\n"));
  EXPECT_TRUE(has(text, "INTEGCOV_STORAGE=gs://my-bucket/my-folder go-integcov ./app"));
  EXPECT_LT(text.find("Examples:"), text.find("Options:"));
}

TEST(Help, ExplainsTheExitStatus) {
  const std::string text = help_text();
  for (const char* status : {"128+N", "  125  ", "  126  ", "  127  "}) {
    EXPECT_TRUE(has(text, status)) << status;
  }
}

TEST(Help, FitsATerminal) {
  std::istringstream lines(help_text());
  for (std::string line; std::getline(lines, line);) {
    EXPECT_LE(line.size(), 80U) << line;
    EXPECT_FALSE(line.ends_with(' ')) << line;
    for (const char c : line) EXPECT_TRUE(c >= ' ' && c <= '~') << line;
  }
}

TEST(Help, IsColouredOnlyWhenAsked) {
  EXPECT_FALSE(has(help_text(), "\x1b"));
  std::string text = help_text(true);
  EXPECT_TRUE(has(text, "\x1b[1mUsage:\x1b[0m\n"));
  for (const char* code : {"\x1b[1m", "\x1b[0m"}) {
    for (auto at = text.find(code); at != std::string::npos; at = text.find(code)) {
      text.erase(at, std::string_view(code).size());
    }
  }
  EXPECT_EQ(text, help_text());
}

TEST(Version, IsOneLine) {
  std::istringstream line(version_text());
  std::string name;
  int major = -1, minor = -1, patch = -1;
  char dot = 0, dot2 = 0;
  line >> name >> major >> dot >> minor >> dot2 >> patch;
  EXPECT_EQ(name, "go-integcov");
  EXPECT_GE(major, 0);
  EXPECT_EQ(dot, '.');
  EXPECT_GE(minor, 0);
  EXPECT_EQ(dot2, '.');
  EXPECT_GE(patch, 0);
  EXPECT_EQ(line.get(), '\n');
  EXPECT_EQ(line.get(), std::istringstream::traits_type::eof());
}

}  // namespace
}  // namespace integcov::config
