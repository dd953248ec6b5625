// Bad input: one sentence that names the setting, the value and what is expected; the app isn't
// started. Trouble at run time: one warning; the app runs and its status is kept.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>

#include "integration/scenario.h"

namespace integcov::test {
namespace {

struct Case {
  const char* name;
  std::map<std::string, std::string> env;
  std::vector<std::string> options;
  std::vector<std::string> says;  // each must be in the sentence; DIR stands for the test's folder
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

std::string with_dir(std::string text, const TempDir& dir) {
  if (const std::size_t at = text.find("DIR/"); at != std::string::npos) {
    text.replace(at, 3, dir.path().string());
  }
  return text;
}

class BadInput : public testing::TestWithParam<Case> {};

TEST_P(BadInput, IsToldInOneSentenceAndTheAppIsNotStarted) {
  const TempDir dir;
  write_file(dir / "not-json", "hello");
  write_file(dir / "half.json", R"({"type": "service_account", "client_email": "a@b"})");
  write_file(dir / "aws.json", R"({"type": "external_account"})");
  write_file(dir / "file", "");
  std::map<std::string, std::string> env{{"GOCOVERDIR", (dir / "cov").string()}};
  for (const auto& [name, value] : GetParam().env) env[name] = with_dir(value, dir);
  std::vector<std::string> command{go_integcov()};
  for (const std::string& option : GetParam().options) command.push_back(with_dir(option, dir));
  command.push_back("touch");
  command.push_back((dir / "started").string());

  const auto ended = run(command, {.env = env, .cwd = dir.path()});
  EXPECT_EQ(ended.code, 125);
  EXPECT_EQ(ended.out, "");
  EXPECT_EQ(std::ranges::count(ended.err, '\n'), 1) << ended.err;
  EXPECT_TRUE(ended.err.starts_with("go-integcov: error: ")) << ended.err;
  for (const std::string& part : GetParam().says) {
    EXPECT_NE(ended.err.find(with_dir(part, dir)), std::string::npos) << ended.err;
  }
  EXPECT_FALSE(std::filesystem::exists(dir / "started"));
}

const std::map<std::string, std::string> kBucket{{"INTEGCOV_STORAGE", "gs://bucket"}};
std::map<std::string, std::string> bucket_and(const std::string& name, const std::string& value) {
  auto env = kBucket;
  env[name] = value;
  return env;
}

INSTANTIATE_TEST_SUITE_P(
    Cases, BadInput,
    testing::Values(
        Case{"scheme",
             {{"INTEGCOV_STORAGE", "ftp://x/y"}},
             {},
             {"INTEGCOV_STORAGE", "ftp://x/y", "gs://"}},
        Case{"no_scheme", {{"INTEGCOV_STORAGE", "bucket"}}, {}, {"INTEGCOV_STORAGE", "\"bucket\""}},
        Case{"empty_bucket", {{"INTEGCOV_STORAGE", "gs:///x"}}, {}, {"INTEGCOV_STORAGE", "bucket"}},
        Case{"relative_file",
             {{"INTEGCOV_STORAGE", "file://x"}},
             {},
             {"INTEGCOV_STORAGE", "file:///"}},
        Case{"flag", {}, {"--storage", "nope:x"}, {"--storage", "nope:x"}},
        Case{"duration", {{"INTEGCOV_GRACE", "10"}}, {}, {"INTEGCOV_GRACE", "\"10\"", "10s"}},
        Case{"timeout",
             {{"INTEGCOV_UPLOAD_TIMEOUT", "-1s"}},
             {},
             {"INTEGCOV_UPLOAD_TIMEOUT", "-1s"}},
        Case{"signal",
             {{"INTEGCOV_STOP_SIGNAL", "SIGKILL"}},
             {},
             {"INTEGCOV_STOP_SIGNAL", "SIGKILL"}},
        Case{"on_error",
             {{"INTEGCOV_ON_UPLOAD_ERROR", "ignore"}},
             {},
             {"INTEGCOV_ON_UPLOAD_ERROR", "ignore", "warn", "fail"}},
        Case{"labels", {{"INTEGCOV_LABELS", "novalue"}}, {}, {"INTEGCOV_LABELS", "novalue"}},
        Case{"chunk",
             {{"INTEGCOV_GCS_CHUNK_SIZE", "1000"}},
             {},
             {"INTEGCOV_GCS_CHUNK_SIZE", "1000", "256"}},
        Case{"endpoint",
             {{"INTEGCOV_GCS_ENDPOINT", "http://x"}},
             {},
             {"INTEGCOV_GCS_ENDPOINT", "https"}},
        Case{"log_format", {{"INTEGCOV_LOG_FORMAT", "xml"}}, {}, {"INTEGCOV_LOG_FORMAT", "xml"}},
        Case{"log_level", {{"INTEGCOV_LOG_LEVEL", "loud"}}, {}, {"INTEGCOV_LOG_LEVEL", "loud"}},
        Case{"unknown_flag", {}, {"--storag=x"}, {"--storag", "--storage"}},
        Case{"emulator",
             bucket_and("STORAGE_EMULATOR_HOST", "ftp://x"),
             {},
             {"STORAGE_EMULATOR_HOST", "ftp://x"}},
        Case{"no_credentials_file",
             bucket_and("GOOGLE_APPLICATION_CREDENTIALS", "DIR/none.json"),
             {},
             {"GOOGLE_APPLICATION_CREDENTIALS", "none.json", "No such file"}},
        Case{"credentials_not_json",
             bucket_and("GOOGLE_APPLICATION_CREDENTIALS", "DIR/not-json"),
             {},
             {"GOOGLE_APPLICATION_CREDENTIALS", "not-json", "JSON"}},
        Case{"credentials_half",
             bucket_and("GOOGLE_APPLICATION_CREDENTIALS", "half.json"),
             {},
             {"GOOGLE_APPLICATION_CREDENTIALS", "half.json", "private_key"}},
        Case{"credentials_type",
             bucket_and("GOOGLE_APPLICATION_CREDENTIALS", "aws.json"),
             {},
             {"external_account"}},
        Case{"storage_inside",
             {{"INTEGCOV_STORAGE", "file://DIR/cov/sub"}},
             {},
             {"INTEGCOV_STORAGE", "GOCOVERDIR", "separate"}},
        Case{"coverdir_inside",
             {{"INTEGCOV_STORAGE", "file://DIR/"}},
             {},
             {"INTEGCOV_STORAGE", "GOCOVERDIR", "separate"}},
        Case{"coverdir_is_a_file",
             {{"GOCOVERDIR", "DIR/file"}},
             {},
             {"GOCOVERDIR", "not a folder"}}),
    [](const auto& c) { return std::string(c.param.name); });

TEST(BadInputToo, NoProgramIsAnErrorOfOurs) {
  const auto ended = run({go_integcov()});
  EXPECT_EQ(ended.code, 125);
  EXPECT_NE(ended.err.find("go-integcov [OPTIONS] PROGRAM"), std::string::npos) << ended.err;
}

TEST(BadInputToo, HelpAndVersionGoToStdout) {
  const auto help = run({go_integcov(), "--help"});
  EXPECT_EQ(help.code, 0);
  EXPECT_EQ(help.err, "");
  EXPECT_NE(help.out.find("INTEGCOV_STORAGE"), std::string::npos);
  const auto version = run({go_integcov(), "--version"});
  EXPECT_EQ(version.code, 0);
  EXPECT_EQ(version.out, "go-integcov " INTEGCOV_VERSION "\n");
}

TEST(BadInputToo, AMisspeltNameIsWarnedOf) {
  const TempDir dir;
  const auto ended =
      run({go_integcov(), "true"},
          {.env = {{"INTEGCOV_STORGE", "gs://bucket"}, {"GOCOVERDIR", (dir / "c").string()}}});
  EXPECT_EQ(ended.code, 0);
  EXPECT_NE(ended.err.find("INTEGCOV_STORGE"), std::string::npos) << ended.err;
  EXPECT_NE(ended.err.find("INTEGCOV_STORAGE"), std::string::npos) << ended.err;
}

TEST(BadInputToo, TheProgramsOptionsAreItsOwn) {
  const TempDir dir;
  const auto ended = run({go_integcov(), "--", "printf", "%s\\n", "--help"},
                         {.env = {{"GOCOVERDIR", (dir / "c").string()}}});
  EXPECT_EQ(ended.out, "--help\n");
}

// At the end; on a slow machine the program may still run when its covmeta is refused, which is
// worth another one.
void expect_one_warning(const std::string& err) {
  EXPECT_EQ(count_of(err, "not uploaded"), 1U) << err;
  EXPECT_LE(count_of(err, "warning: "), 1U + count_of(err, "warning: cannot upload to")) << err;
  EXPECT_LE(count_of(err, "warning: cannot upload to"), 1U) << err;
}

TEST(Trouble, AMissingBucketIsOneWarningAndTheStatusIsKept) {
  const TempDir dir;
  const ScriptedGcs store;
  const auto ended = run({go_integcov(), program("hello"), "3"},
                         {.env = {{"INTEGCOV_STORAGE", "gs://no-such-bucket/x"},
                                  {"STORAGE_EMULATOR_HOST", store.url()},
                                  {"GOCOVERDIR", (dir / "cov").string()}}});
  EXPECT_EQ(ended.code, 3);
  expect_one_warning(ended.err);
  EXPECT_NE(ended.err.find("no-such-bucket"), std::string::npos) << ended.err;
  EXPECT_NE(ended.err.find((dir / "cov").string()), std::string::npos) << ended.err;
  EXPECT_EQ(read_tree(dir / "cov").size(), 2U);
}

TEST(Trouble, NoTokenIsOneWarning) {
  const TempDir dir;
  const auto ended = run({go_integcov(), program("hello"), "3"},
                         {.env = {{"INTEGCOV_STORAGE", "gs://bucket/x"},
                                  {"GCE_METADATA_HOST", "127.0.0.1:1"},
                                  {"HOME", dir.path().string()},
                                  {"INTEGCOV_UPLOAD_TIMEOUT", "3s"},
                                  {"GOCOVERDIR", (dir / "cov").string()}}});
  EXPECT_EQ(ended.code, 3);
  expect_one_warning(ended.err);
  EXPECT_NE(ended.err.find("token"), std::string::npos) << ended.err;
}

TEST(Trouble, AnUploadErrorFailsTheRunOnlyWhenAskedTo) {
  const TempDir dir;
  const ScriptedGcs store;
  std::map<std::string, std::string> env{{"INTEGCOV_STORAGE", "gs://no-such-bucket/x"},
                                         {"STORAGE_EMULATOR_HOST", store.url()},
                                         {"GOCOVERDIR", (dir / "cov").string()}};
  EXPECT_EQ(run({go_integcov(), program("hello"), "0"}, {.env = env}).code, 0);
  env["INTEGCOV_ON_UPLOAD_ERROR"] = "fail";
  EXPECT_EQ(run({go_integcov(), program("hello"), "0"}, {.env = env}).code, 125);
  EXPECT_EQ(run({go_integcov(), program("hello"), "3"}, {.env = env}).code, 3);
}

TEST(Trouble, AStorageFolderThatCantBeWritten) {
  const TempDir dir;
  write_file(dir / "file", "");
  const auto ended = run({go_integcov(), program("hello"), "3"},
                         {.env = {{"INTEGCOV_STORAGE", "file://" + (dir / "file/storage").string()},
                                  {"GOCOVERDIR", (dir / "cov").string()}}});
  EXPECT_EQ(ended.code, 3);
  EXPECT_GE(count_of(ended.err, "warning: "), 1U) << ended.err;
  EXPECT_NE(ended.err.find((dir / "file/storage").string()), std::string::npos) << ended.err;
}

TEST(Trouble, AProgramWithoutCoverageIsToldOf) {
  const TempDir dir;
  const auto ended =
      run({go_integcov(), "true"}, {.env = {{"INTEGCOV_STORAGE", "file://" + (dir / "s").string()},
                                            {"GOCOVERDIR", (dir / "cov").string()}}});
  EXPECT_EQ(ended.code, 0);
  EXPECT_NE(ended.err.find("go build -cover"), std::string::npos) << ended.err;
}

TEST(Trouble, AProgramThatLeftNoCountersIsToldOf) {
  const TempDir dir;
  const auto ended = run({go_integcov(), program("panics")},
                         {.env = {{"INTEGCOV_STORAGE", "file://" + (dir / "s").string()},
                                  {"GOCOVERDIR", (dir / "cov").string()}}});
  EXPECT_EQ(ended.code, 2);
  EXPECT_NE(ended.err.find("left no counters"), std::string::npos) << ended.err;
}

TEST(Trouble, ACoverageFolderThatCantBeMade) {
  const TempDir dir;
  write_file(dir / "file", "");
  const auto ended = run({go_integcov(), program("hello"), "3"},
                         {.env = {{"INTEGCOV_STORAGE", "file://" + (dir / "s").string()},
                                  {"GOCOVERDIR", (dir / "file/cov").string()}}});
  EXPECT_EQ(ended.code, 3);
  EXPECT_NE(ended.err.find("file"), std::string::npos) << ended.err;
}

}  // namespace
}  // namespace integcov::test
