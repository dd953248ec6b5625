#include "config/settings.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace integcov::config {
namespace {

TEST(Settings, CoverTheWholeSurface) {
  std::set<std::string_view> names;
  for (const Setting& setting : settings()) names.insert(setting.env);
  EXPECT_EQ(names, (std::set<std::string_view>{
                       "GOCOVERDIR", "INTEGCOV_DISABLED", "INTEGCOV_FLUSH",
                       "INTEGCOV_FLUSH_INTERVAL", "INTEGCOV_FLUSH_SIGNAL", "INTEGCOV_FLUSH_WAIT",
                       "INTEGCOV_GCS_CHUNK_SIZE", "INTEGCOV_GCS_ENDPOINT", "INTEGCOV_GCS_KMS_KEY",
                       "INTEGCOV_GCS_USER_PROJECT", "INTEGCOV_GRACE", "INTEGCOV_LABELS",
                       "INTEGCOV_LOG_FORMAT", "INTEGCOV_LOG_LEVEL", "INTEGCOV_ON_UPLOAD_ERROR",
                       "INTEGCOV_STOP_SIGNAL", "INTEGCOV_STORAGE", "INTEGCOV_UPLOAD_TIMEOUT"}));
}

TEST(Settings, AreFoundByEitherName) {
  for (const Setting& setting : settings()) {
    EXPECT_EQ(find_by_env(setting.env), &setting);
    EXPECT_EQ(find_by_flag(setting.flag), &setting);
  }
  EXPECT_EQ(find_by_env("INTEGCOV_FLUSHING"), nullptr);
  EXPECT_EQ(find_by_flag(""), nullptr);
}

// The help shows the table's texts and the program uses Config's values.
TEST(Settings, SayTheirTrueDefaults) {
  for (const Setting& setting : settings()) {
    if (setting.default_text.empty()) continue;
    // From other values, so that a default_text that does nothing can't pass.
    Config config;
    config.coverdir = "/elsewhere";
    config.grace = config.upload_timeout = Duration{1};
    config.flush = {FlushMode::off, Duration{1}, SIGUSR2, Duration{1}};
    config.fail_on_upload_error = config.disabled = true;
    config.gcs.chunk_size = kChunkQuantum;
    config.log_format = LogFormat::json;
    config.log_level = Severity::error;
    Config expected = config;
    const Config defaults;
    if (setting.flag == "coverdir") expected.coverdir = defaults.coverdir;
    if (setting.flag == "flush") expected.flush.mode = defaults.flush.mode;
    if (setting.flag == "flush-interval") expected.flush.interval = defaults.flush.interval;
    if (setting.flag == "flush-signal") expected.flush.signal = defaults.flush.signal;
    if (setting.flag == "flush-wait") expected.flush.wait = defaults.flush.wait;
    if (setting.flag == "grace") expected.grace = defaults.grace;
    if (setting.flag == "upload-timeout") expected.upload_timeout = defaults.upload_timeout;
    if (setting.flag == "on-upload-error") {
      expected.fail_on_upload_error = defaults.fail_on_upload_error;
    }
    if (setting.flag == "gcs-chunk-size") expected.gcs.chunk_size = defaults.gcs.chunk_size;
    if (setting.flag == "log-format") expected.log_format = defaults.log_format;
    if (setting.flag == "log-level") expected.log_level = defaults.log_level;
    if (setting.flag == "disabled") expected.disabled = defaults.disabled;
    EXPECT_NE(expected, config) << setting.flag;
    EXPECT_TRUE(setting.apply(config, setting.default_text, Origin::flag).ok()) << setting.flag;
    EXPECT_EQ(config, expected) << setting.flag;
  }
}

TEST(Settings, ExplainWordsThatAreNotKnown) {
  Config config;
  EXPECT_EQ(find_by_flag("on-upload-error")->apply(config, "ignore", Origin::flag).message(),
            "\"ignore\" is not known; expected warn or fail");
  EXPECT_EQ(find_by_flag("log-format")->apply(config, "xml", Origin::flag).message(),
            "\"xml\" is not known; expected auto, text or json");
  EXPECT_EQ(find_by_flag("log-level")->apply(config, "trace", Origin::flag).message(),
            "\"trace\" is not known; expected debug, info, warning or error");
  EXPECT_EQ(config, Config{});
}

TEST(ParseBool, ReadsGosWordsAndAFewMore) {
  for (const char* word : {"1", "t", "T", "TRUE", "true", "True", "yes", "YES", "on"}) {
    ASSERT_TRUE(parse_bool(word).ok()) << word;
    EXPECT_TRUE(*parse_bool(word)) << word;
  }
  for (const char* word : {"0", "f", "F", "FALSE", "false", "False", "no", "No", "off"}) {
    ASSERT_TRUE(parse_bool(word).ok()) << word;
    EXPECT_FALSE(*parse_bool(word)) << word;
  }
  for (const char* word : {"", "2", "tru", " true", "y", "enabled"}) {
    EXPECT_FALSE(parse_bool(word).ok()) << word;
  }
  EXPECT_EQ(parse_bool("2").message(),
            "\"2\" is not known; expected true, false, 1, 0, yes, no, on or off");
}

}  // namespace
}  // namespace integcov::config
