// The app runs as without us: environment, directory, arguments, fds, signals, exit status.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <sstream>

#include "integration/parts.h"

namespace integcov::test {
namespace {

std::string report_c() { return std::string(INTEGCOV_PROGRAMS) + "/report_c"; }

// The report's lines but for those that must differ between two runs.
std::string facts(const std::string& out) {
  std::istringstream lines(out);
  std::string kept;
  for (std::string line; std::getline(lines, line);) {
    static const std::vector<std::string> kDiffering{"pid=",  "ppid=", "pgid==pid=",     "FD=0 ",
                                                     "FD=1 ", "FD=2 ", "ENV=GOCOVERDIR="};
    const bool differs = std::ranges::any_of(
        kDiffering, [&](const std::string& start) { return line.starts_with(start); });
    if (!differs) kept += line + '\n';
  }
  return kept;
}

struct Case {
  const char* name;
  std::function<void()> before_exec;
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

class StartedAs : public testing::TestWithParam<Case> {};
INSTANTIATE_TEST_SUITE_P(Cases, StartedAs,
                         testing::Values(Case{"plain", nullptr},  //
                                         Case{"umask", [] { umask(0027); }},
                                         Case{"ignored",
                                              [] {
                                                signal(SIGHUP, SIG_IGN);
                                                signal(SIGPIPE, SIG_IGN);
                                              }},
                                         Case{"sigchld_ignored", [] { signal(SIGCHLD, SIG_IGN); }},
                                         Case{"passed_fd",
                                              [] { dup2(open("/etc/hostname", O_RDONLY), 7); }},
                                         Case{"few_fds",
                                              [] {
                                                const rlimit limit{.rlim_cur = 32, .rlim_max = 32};
                                                setrlimit(RLIMIT_NOFILE, &limit);
                                              }}),
                         [](const auto& c) { return std::string(c.param.name); });

TEST_P(StartedAs, TheProgramFindsWhatTheCallerSet) {
  const TempDir dir;
  const std::vector<std::string> program{report_c(), "", "--", "-x", "a b\n", "\xff\xfe", "$HOME"};
  Options options{.env = {{"GOCOVERDIR", (dir / "cov").string()},
                          {"EMPTY", ""},
                          {"ODD", "a=b\nc"},
                          {"BYTES", "\xff\xfe"},
                          {"INTEGCOV_LABELS", "team=a"}},
                  .cwd = dir.path(),
                  .before_exec = GetParam().before_exec};
  const auto alone = run(program, options);
  auto wrapped = program;
  wrapped.insert(wrapped.begin(), go_integcov());
  const auto with_us = run(wrapped, options);
  EXPECT_EQ(with_us.code, alone.code) << with_us.err;
  EXPECT_EQ(facts(with_us.out), facts(alone.out));
  EXPECT_NE(with_us.out.find("ENV=GOCOVERDIR=" + (dir / "cov").string()), std::string::npos);
}

TEST(AsWithoutUs, GocoverdirIsAddedAndNothingElse) {
  const TempDir dir;
  const auto alone = run({report_c()}, {.cwd = dir.path()});
  const auto with_us = run({go_integcov(), "--coverdir", "cov", report_c()}, {.cwd = dir.path()});
  EXPECT_EQ(facts(with_us.out), facts(alone.out));
  EXPECT_NE(with_us.out.find("ENV=GOCOVERDIR=" + (dir / "cov").string() + '\n'), std::string::npos);
}

TEST(AsWithoutUs, BlockedSignalsOfTheCallerDontReachTheProgram) {
  const TempDir dir;
  const auto with_us = run({go_integcov(), report_c()},
                           {.env = {{"GOCOVERDIR", (dir / "cov").string()}}, .before_exec = [] {
                              sigset_t all;
                              sigfillset(&all);
                              sigprocmask(SIG_SETMASK, &all, nullptr);
                            }});
  EXPECT_EQ(with_us.code, 0);
  EXPECT_NE(with_us.out.find("SigBlk=0000000000000000"), std::string::npos) << with_us.out;
}

TEST(AsWithoutUs, StdinAndStdoutAreTheProgramsOwn) {
  const TempDir dir;
  const auto ended = run({go_integcov(), "cat"}, {.env = {{"GOCOVERDIR", (dir / "cov").string()}},
                                                  .input = std::string("a\0b\n", 4)});
  EXPECT_EQ(ended.out, std::string("a\0b\n", 4));
}

TEST(AsWithoutUs, ClosedStandardFdsStayClosed) {
  const TempDir dir;
  const auto ended = run({go_integcov(), report_c()},
                         {.env = {{"GOCOVERDIR", (dir / "cov").string()}}, .before_exec = [] {
                            close(0);
                            close(2);
                          }});
  EXPECT_EQ(ended.code, 0);
  EXPECT_EQ(ended.out.find("FD=0 "), std::string::npos) << ended.out;
  EXPECT_EQ(ended.out.find("FD=2 "), std::string::npos) << ended.out;
  EXPECT_EQ(ended.out.find("FD=3 "), std::string::npos) << ended.out;
}

TEST(ExitStatus, EveryCodeIsKept) {
  const TempDir dir;
  for (const int code : {0, 1, 2, 42, 125, 126, 127, 128, 137, 255}) {
    EXPECT_EQ(run({go_integcov(), program("hello"), std::to_string(code)},
                  {.env = {{"GOCOVERDIR", (dir / "cov").string()}}})
                  .code,
              code);
  }
}

TEST(ExitStatus, DeathByASignalIs128AndItsNumber) {
  const TempDir dir;
  for (const int signal : {SIGTERM, SIGKILL, SIGSEGV, SIGUSR1, SIGRTMIN + 3}) {
    const auto ended = run({go_integcov(), "sh", "-c", "kill -" + std::to_string(signal) + " $$"},
                           {.env = {{"GOCOVERDIR", (dir / "cov").string()}}});
    EXPECT_EQ(ended.code, 128 + signal);
  }
}

TEST(ExitStatus, WhatCantBeRun) {
  const TempDir dir;
  const std::map<std::string, std::string> env{{"GOCOVERDIR", (dir / "cov").string()}};
  write_file(dir / "text", "hello");
  write_file(dir / "lost", "#!/no/such/interpreter\n");
  std::filesystem::permissions(dir / "lost", std::filesystem::perms::owner_all);

  const auto missing = run({go_integcov(), "no-such-program-here"}, {.env = env});
  EXPECT_EQ(missing.code, 127);
  EXPECT_NE(missing.err.find("\"no-such-program-here\""), std::string::npos) << missing.err;
  EXPECT_EQ(run({go_integcov(), (dir / "gone").string()}, {.env = env}).code, 127);
  EXPECT_EQ(run({go_integcov(), (dir / "text").string()}, {.env = env}).code, 126);
  EXPECT_EQ(run({go_integcov(), dir.path().string()}, {.env = env}).code, 126);
  const auto lost = run({go_integcov(), (dir / "lost").string()}, {.env = env});
  EXPECT_EQ(lost.code, 127);
  EXPECT_NE(lost.err.find("interpreter"), std::string::npos) << lost.err;
}

TEST(Signals, AllThatCanBeForwardedAre) {
  const TempDir dir;
  Process process({go_integcov(), program("sleeper"), "-print-signals", "-until", "SIGUSR2"},
                  {.env = {{"GOCOVERDIR", (dir / "cov").string()}}});
  ASSERT_TRUE(eventually([&] { return process.out().starts_with("ready"); }));
  std::string expected = "ready\n";
  const std::map<int, std::string> signals{
      {SIGHUP, "SIGHUP"},   {SIGINT, "SIGINT"},   {SIGQUIT, "SIGQUIT"},
      {SIGUSR1, "SIGUSR1"}, {SIGTERM, "SIGTERM"}, {SIGWINCH, "SIGWINCH"},
      {SIGALRM, "SIGALRM"}, {SIGCONT, "SIGCONT"}, {SIGTSTP, "SIGTSTP"}};
  for (const auto& [signal, name] : signals) {
    process.send(signal);
    expected += name + '\n';
    EXPECT_TRUE(eventually([&] { return process.out() == expected; })) << process.out();
  }
  process.send(SIGUSR2);
  EXPECT_EQ(process.wait().code, 0);
}

TEST(Signals, OneThatComesAtOnceIsNotLost) {
  const TempDir dir;
  for (int round = 0; round < 30; ++round) {
    Process process({go_integcov(), program("sleeper"), "-for", "50s"},
                    {.env = {{"GOCOVERDIR", (dir / "cov").string()}}});
    process.send(SIGCONT);  // nothing dies of it: the process is there
    usleep(static_cast<useconds_t>(round * 100));
    process.send(SIGTERM);
    const int code = process.wait().code;
    // The app's own end, or its death by SIGTERM before it had a handler; or ours before main.
    EXPECT_TRUE(code == 0 || code == 128 + SIGTERM) << code;
  }
}

TEST(Signals, TheStopSignalCanBeRewritten) {
  const TempDir dir;
  Process process({go_integcov(), "--stop-signal=INT", program("sleeper"), "-print-signals",
                   "-until", "SIGINT"},
                  {.env = {{"GOCOVERDIR", (dir / "cov").string()}}});
  ASSERT_TRUE(eventually([&] { return process.out().starts_with("ready"); }));
  process.send(SIGTERM);
  EXPECT_EQ(process.wait().out, "ready\nSIGINT\n");
}

TEST(Disabled, TheProgramIsUntouched) {
  const TempDir dir;
  const Options options{.env = {{"INTEGCOV_DISABLED", "true"},
                                {"INTEGCOV_STORAGE", "nonsense://"},
                                {"INTEGCOV_GRACE", "soon"}},
                        .cwd = dir.path()};
  const auto alone = run({report_c(), "x"}, options);
  const auto with_us = run({go_integcov(), report_c(), "x"}, options);
  EXPECT_EQ(facts(with_us.out), facts(alone.out));
  EXPECT_EQ(with_us.err, "");
  EXPECT_EQ(run({go_integcov(), "no-such-program-here"}, options).code, 127);
}

}  // namespace
}  // namespace integcov::test
