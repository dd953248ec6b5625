#include "config/command_line.h"

#include <gtest/gtest.h>

#include <csignal>

namespace integcov::config {
namespace {

using Args = std::vector<std::string_view>;
using Mode = Invocation::Mode;
using namespace std::chrono_literals;

Result<Invocation> parse(const Args& args, const std::vector<std::string>& entries = {}) {
  std::vector<const char*> envp;
  for (const std::string& entry : entries) envp.push_back(entry.c_str());
  envp.push_back(nullptr);
  return parse_command_line(args, Environment(envp.data()));
}

Invocation parsed(const Args& args, const std::vector<std::string>& entries = {}) {
  Result<Invocation> invocation = parse(args, entries);
  EXPECT_TRUE(invocation.ok()) << (invocation.ok() ? "" : invocation.message());
  return invocation ? *invocation : Invocation{};
}

std::string refusal(const Args& args, const std::vector<std::string>& entries = {}) {
  const Result<Invocation> invocation = parse(args, entries);
  EXPECT_FALSE(invocation.ok());
  return invocation ? "" : invocation.message();
}

TEST(CommandLine, NeedsNothingButAProgram) {
  const Invocation invocation = parsed({"app", "--port", "80"});
  EXPECT_EQ(invocation.mode, Mode::run);
  EXPECT_EQ(invocation.program_index, 0U);
  EXPECT_EQ(invocation.config, Config{});
  EXPECT_TRUE(invocation.warnings.empty());
}

TEST(CommandLine, RunsTheSampleDeployment) {
  const Invocation invocation =
      parsed({"app"}, {"PATH=/", "INTEGCOV_STORAGE=gs://my-bucket/my-folder"});
  EXPECT_EQ(invocation.config.storage, StorageLocation(GcsLocation{"my-bucket", "my-folder"}));
  EXPECT_TRUE(invocation.warnings.empty());
}

TEST(CommandLine, FindsTheProgram) {
  EXPECT_EQ(parsed({}).program_index, 0U);
  EXPECT_EQ(parsed({"--grace", "5s"}).program_index, 2U);
  EXPECT_EQ(parsed({"--grace", "5s", "app", "--grace", "bad"}).program_index, 2U);
  EXPECT_EQ(parsed({"--grace=5s", "app"}).program_index, 1U);
  EXPECT_EQ(parsed({"--disabled", "app"}).program_index, 1U);
  EXPECT_EQ(parsed({"--", "--app"}).program_index, 1U);
  EXPECT_EQ(parsed({"--"}).program_index, 1U);
  EXPECT_EQ(parsed({"app", "--", "x"}).program_index, 0U);
  EXPECT_EQ(parsed({""}).program_index, 0U);
  EXPECT_EQ(parsed({"-"}).program_index, 0U);
}

TEST(CommandLine, ReadsEveryFlag) {
  const Config config = parsed({"--storage",
                                "file:///s",
                                "--coverdir=cov",
                                "--grace",
                                "0",
                                "--upload-timeout=2m",
                                "--stop-signal",
                                "INT",
                                "--on-upload-error",
                                "fail",
                                "--label",
                                "a=1",
                                "--gcs-user-project",
                                "p",
                                "--gcs-kms-key",
                                "projects/p/locations/l/keyRings/r/cryptoKeys/k",
                                "--gcs-endpoint",
                                "https://h",
                                "--gcs-chunk-size",
                                "1MiB",
                                "--log-format",
                                "text",
                                "--log-level",
                                "debug",
                                "app"})
                            .config;
  Config expected;
  expected.storage = FolderLocation{"/s"};
  expected.coverdir = "cov";
  expected.grace = 0s;
  expected.upload_timeout = 2min;
  expected.stop_signal = SIGINT;
  expected.fail_on_upload_error = true;
  expected.labels = {{"a", "1"}};
  expected.gcs = {"p", "projects/p/locations/l/keyRings/r/cryptoKeys/k", "https://h", 1 << 20};
  expected.log_format = LogFormat::text;
  expected.log_level = Severity::debug;
  EXPECT_EQ(config, expected);
}

TEST(CommandLine, ReadsEveryVariable) {
  const Config config =
      parsed({"app"}, {"INTEGCOV_STORAGE=file:///s", "GOCOVERDIR=cov", "INTEGCOV_GRACE=0",
                       "INTEGCOV_UPLOAD_TIMEOUT=2m", "INTEGCOV_STOP_SIGNAL=2",
                       "INTEGCOV_ON_UPLOAD_ERROR=fail", "INTEGCOV_LABELS=a=1,b=2",
                       "INTEGCOV_GCS_USER_PROJECT=p",
                       "INTEGCOV_GCS_KMS_KEY=projects/p/locations/l/keyRings/r/cryptoKeys/k",
                       "INTEGCOV_GCS_ENDPOINT=https://h", "INTEGCOV_GCS_CHUNK_SIZE=262144",
                       "INTEGCOV_LOG_FORMAT=json", "INTEGCOV_LOG_LEVEL=warn"})
          .config;
  Config expected;
  expected.storage = FolderLocation{"/s"};
  expected.coverdir = "cov";
  expected.grace = 0s;
  expected.upload_timeout = 2min;
  expected.stop_signal = SIGINT;
  expected.fail_on_upload_error = true;
  expected.labels = {{"a", "1"}, {"b", "2"}};
  expected.gcs = {"p", "projects/p/locations/l/keyRings/r/cryptoKeys/k", "https://h", 262144};
  expected.log_format = LogFormat::json;
  expected.log_level = Severity::warning;
  EXPECT_EQ(config, expected);
}

TEST(CommandLine, LetsFlagsWin) {
  EXPECT_EQ(parsed({"--grace=5s", "app"}, {"INTEGCOV_GRACE=7s"}).config.grace, 5s);
  EXPECT_EQ(parsed({"--grace=5s", "app"}, {"INTEGCOV_GRACE=soon"}).config.grace, 5s);
  EXPECT_FALSE(parsed({"--disabled=no", "app"}, {"INTEGCOV_DISABLED=1"}).config.disabled);
}

TEST(CommandLine, LetsTheLastOfTwoFlagsWin) {
  EXPECT_EQ(parsed({"--grace=5s", "--grace", "6s", "app"}).config.grace, 6s);
  EXPECT_EQ(parsed({"--grace=5s", "--grace=", "app"}).config.grace, 10s);
}

TEST(CommandLine, TakesAnEmptyValueForTheDefault) {
  EXPECT_EQ(parsed({"app"}, {"INTEGCOV_GRACE=", "INTEGCOV_STORAGE="}).config, Config{});
  EXPECT_EQ(parsed({"--storage=", "app"}, {"INTEGCOV_STORAGE=gs://my-bucket"}).config, Config{});
}

TEST(CommandLine, AddsUpLabels) {
  const Labels labels =
      parsed({"--label", "b=flag", "--label=c=x,y", "app"}, {"INTEGCOV_LABELS=a=1,b=env"})
          .config.labels;
  EXPECT_EQ(labels, (Labels{{"a", "1"}, {"b", "flag"}, {"c", "x,y"}}));
}

TEST(CommandLine, TakesOneDashAsGoDoes) {
  const Invocation invocation = parsed({"-grace", "5s", "-log-level=error", "app"});
  EXPECT_EQ(invocation.config.grace, 5s);
  EXPECT_EQ(invocation.config.log_level, Severity::error);
  EXPECT_EQ(invocation.program_index, 3U);
}

TEST(CommandLine, TakesWhateverStandsBehindAFlagForItsValue) {
  EXPECT_EQ(parsed({"--coverdir", "--grace", "app"}).config.coverdir, "--grace");
}

TEST(CommandLine, HelpsWhateverElseIsWrong) {
  for (const char* flag : {"--help", "-help", "-h"}) {
    const Invocation invocation = parsed({"--grace=bad", flag, "--nonsense"}, {"INTEGCOV_GRACE=x"});
    EXPECT_EQ(invocation.mode, Mode::help);
    EXPECT_EQ(invocation.program_index, 3U);
  }
  EXPECT_EQ(parsed({"--version"}).mode, Mode::version);
  EXPECT_EQ(parsed({"app", "--help"}).mode, Mode::run);
  EXPECT_EQ(refusal({"--help=all"}), "--help: \"all\" is too much; expected no value");
}

TEST(CommandLine, InstallsWhateverTheSettingsAre) {
  for (const Args& args :
       {Args{"--install", "/shared"}, Args{"--install=/shared"}, Args{"-install", "/shared"},
        Args{"--grace=bad", "--nonsense=1", "--install", "/shared"}}) {
    const Invocation invocation = parsed(args, {"INTEGCOV_GRACE=x", "INTEGCOV_DISABLED=maybe"});
    EXPECT_EQ(invocation.mode, Mode::install);
    EXPECT_EQ(invocation.install_path, "/shared");
    EXPECT_EQ(invocation.program_index, args.size());
  }
  EXPECT_EQ(parsed({"app", "--install", "/shared"}).mode, Mode::run);
  EXPECT_EQ(parsed({"--coverdir", "--install", "/shared"}).mode, Mode::run);
}

TEST(CommandLine, InstallsToOnePath) {
  for (const Args& args : {Args{"--install"}, Args{"--install", ""}, Args{"--install="}}) {
    EXPECT_EQ(refusal(args),
              "--install has no value; expected PATH, a file or a folder, behind it");
  }
  EXPECT_EQ(refusal({"--install", "/shared", "app"}),
            "--install: \"app\" is too much; expected nothing behind the path");
}

TEST(CommandLine, NamesWhereAMalformedValueCameFrom) {
  EXPECT_EQ(refusal({"app"}, {"INTEGCOV_GRACE=10"}),
            "INTEGCOV_GRACE: \"10\" has a number without a unit; expected a duration such as 10s, "
            "1m30s or 300ms");
  EXPECT_EQ(refusal({"--upload-timeout", "x", "app"}),
            "--upload-timeout: \"x\" is not a duration; expected a duration such as 10s, 1m30s or "
            "300ms");
  EXPECT_EQ(refusal({"-label", "x", "app"}), "--label: \"x\" is not a label; expected key=value");
  EXPECT_EQ(refusal({"--label=", "app"}), "--label: \"\" is not a label; expected key=value");
  EXPECT_EQ(refusal({"app"}, {"INTEGCOV_STORAGE=ftp://b"}),
            "INTEGCOV_STORAGE: \"ftp://b\" has an unknown scheme; expected gs://bucket/folder or "
            "file:///folder");
}

TEST(CommandLine, RefusesUnknownFlags) {
  EXPECT_EQ(refusal({"--storge", "gs://b", "app"}),
            "\"--storge\" is not an option; did you mean --storage?");
  EXPECT_EQ(refusal({"--log_level=info", "app"}),
            "\"--log_level\" is not an option; did you mean --log-level?");
  EXPECT_EQ(refusal({"-x", "app"}),
            "\"--x\" is not an option; expected one of those that go-integcov --help lists");
  EXPECT_EQ(refusal({"--token=secret", "app"}).find("secret"), std::string::npos);
}

TEST(CommandLine, RefusesAFlagWithoutItsValue) {
  EXPECT_EQ(refusal({"--grace"}), "--grace has no value; expected DURATION behind it");
}

TEST(CommandLine, KeepsMessagesOnOneLine) {
  EXPECT_EQ(refusal({"--gra\nce", "app"}).find('\n'), std::string::npos);
  EXPECT_EQ(refusal({"--grace", "\n\x1b[2J", "app"}).find_first_of("\n\x1b"), std::string::npos);
}

TEST(Misspelling, IsNamedInAWarning) {
  EXPECT_EQ(
      parsed({"app"}, {"INTEGCOV_STORGE=gs://b", "INTEGCOV_LABEL=a=1", "integcov_grace=1s"})
          .warnings,
      (std::vector<std::string>{"INTEGCOV_LABEL is not a setting; did you mean INTEGCOV_LABELS?",
                                "INTEGCOV_STORGE is not a setting; did you mean INTEGCOV_STORAGE?",
                                "integcov_grace is not a setting; did you mean INTEGCOV_GRACE?"}));
}

TEST(Misspelling, IsNotWhatTheProgramMayHaveForItself) {
  EXPECT_TRUE(parsed({"app"}, {"INTEGCOV_SERVICE_HOST=10.0.0.1", "INTEGCOV_PORT=80",
                               "INTEGCOV_DEBUG=1", "GOCOVDIR=/x", "STORAGE=1", "INTEGCOV_STORGE="})
                  .warnings.empty());
}

TEST(FlushNow, AsksPid1OrTheOneThatIsNamed) {
  EXPECT_EQ(parsed({"--flush-now"}).mode, Mode::flush_now);
  EXPECT_EQ(parsed({"--flush-now"}).flush_pid, 1U);
  EXPECT_EQ(parsed({"--flush-now", "42"}).flush_pid, 42U);
  EXPECT_EQ(parsed({"-flush-now=42"}).flush_pid, 42U);
}

TEST(FlushNow, ReadsTheFlushSignalAndNothingElse) {
  EXPECT_EQ(parsed({"--flush-now"}, {"INTEGCOV_FLUSH_SIGNAL=USR2", "INTEGCOV_GRACE=x"})
                .config.flush.signal,
            SIGUSR2);
  EXPECT_EQ(parsed({"--flush-signal=USR2", "--flush-now"}).config.flush.signal, SIGUSR2);
}

TEST(FlushNow, RefusesWhatIsNoProcess) {
  EXPECT_EQ(refusal({"--flush-now", "0"}),
            "--flush-now: \"0\" is no process; expected the PID of a go-integcov, or nothing for "
            "PID 1");
  for (const char* word : {"-1", "app", "12x", "99999999999", ""}) {
    EXPECT_NE(refusal({"--flush-now", word}).find("is no process"), std::string::npos) << word;
  }
  EXPECT_EQ(refusal({"--flush-now", "1", "app"}),
            "--flush-now: \"app\" is too much; expected one PID at most");
  EXPECT_NE(refusal({"--flush-now"}, {"INTEGCOV_FLUSH_SIGNAL=KILL"}).find("INTEGCOV_FLUSH_SIGNAL"),
            std::string::npos);
}

TEST(Disabled, IsASwitchOrAWord) {
  EXPECT_TRUE(parsed({"--disabled", "app"}).config.disabled);
  EXPECT_TRUE(parsed({"--disabled=yes", "app"}).config.disabled);
  EXPECT_FALSE(parsed({"--disabled=off", "app"}).config.disabled);
  EXPECT_TRUE(parsed({"app"}, {"INTEGCOV_DISABLED=on"}).config.disabled);
  EXPECT_FALSE(parsed({"app"}, {"INTEGCOV_DISABLED=false"}).config.disabled);
  EXPECT_EQ(parsed({"--disabled", "false"}).program_index, 1U);
}

TEST(Disabled, RunsTheProgramWhateverElseIsWrong) {
  const Invocation invocation =
      parsed({"--grace=x", "--nonsense=1", "--label", "y", "app"},
             {"INTEGCOV_DISABLED=1", "INTEGCOV_STORAGE=ftp://b", "INTEGCOV_STORGE=x",
              "INTEGCOV_FLUSH=x", "INTEGCOV_LOG_LEVEL=x"});
  EXPECT_EQ(invocation.mode, Mode::run);
  EXPECT_TRUE(invocation.config.disabled);
  EXPECT_EQ(invocation.program_index, 4U);
  EXPECT_TRUE(invocation.warnings.empty());
}

TEST(Disabled, StillUsesTheLogSettings) {
  const Config config = parsed({"app"}, {"INTEGCOV_DISABLED=1", "INTEGCOV_LOG_FORMAT=json",
                                         "INTEGCOV_STORAGE=ftp://b"})
                            .config;
  EXPECT_EQ(config.log_format, LogFormat::json);
}

TEST(Disabled, CantBeMalformedItself) {
  EXPECT_EQ(refusal({"app"}, {"INTEGCOV_DISABLED=maybe"}),
            "INTEGCOV_DISABLED: \"maybe\" is not known; expected true, false, 1, 0, yes, no, on or "
            "off");
}

TEST(Disabled, CantTellWhereTheProgramStartsBehindAnUnknownFlag) {
  EXPECT_EQ(refusal({"--storge", "gs://b", "app"}, {"INTEGCOV_DISABLED=1"}),
            "\"--storge\" is not an option; did you mean --storage?");
}

}  // namespace
}  // namespace integcov::config
