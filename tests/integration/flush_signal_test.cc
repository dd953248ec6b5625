// Snapshots by a signal to the program's handler.
#include <sys/prctl.h>

#include "integration/flush.h"

namespace integcov::test {
namespace {

constexpr const char* kOnDemand = "0";

bool has_covmeta(const TempDir& dir) {
  const Tree stored = read_tree(dir / "s");
  return std::ranges::any_of(stored, [](const auto& f) { return f.first.starts_with("covmeta."); });
}

class BySignal : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Flush, BySignal, testing::Values("auto", "signal"),
                         [](const auto& mode) { return std::string(mode.param); });

TEST_P(BySignal, SnapshotsComeOnAnInterval) {
  const TempDir dir;
  Flushing run(Flushing::folder(dir), {program("driven", "handler")}, "500ms",
               {{"INTEGCOV_FLUSH", GetParam()}});
  run.driven();
  for (const std::uint64_t total : {1000U, 2000U, 3000U}) {
    run.tell("hit 1000");
    EXPECT_TRUE(eventually([&] { return hits(dir / "s") == total; }));
  }
  EXPECT_GE(run.signals(), 3);
  const auto ended = run.end();
  EXPECT_EQ(ended.code, 0);
  EXPECT_EQ(hits(dir / "s"), 3000U);
  EXPECT_EQ(lines_of(ended.err), 1U) << ended.err;
}

TEST_P(BySignal, TheSignalToUsIsForwardedOnceAndMakesAnUpload) {
  const TempDir dir;
  Flushing run(Flushing::folder(dir), {program("driven", "handler")}, kOnDemand,
               {{"INTEGCOV_FLUSH", GetParam()}});
  const auto ready = ".integcov/ready." + std::to_string(run.driven());
  ASSERT_TRUE(
      eventually([&] { return std::filesystem::exists(dir / "cov" / ready) && has_covmeta(dir); }));
  for (const int times : {1, 2}) {
    run.tell("hit 10");
    run.process().send(SIGUSR1);
    EXPECT_TRUE(eventually([&] { return hits(dir / "s") == 10U * static_cast<unsigned>(times); }));
    EXPECT_EQ(run.signals(), times);
  }
  EXPECT_EQ(run.end().code, 0);
}

TEST(FlushNow, MakesASnapshotAndIsNotForwarded) {
  const TempDir dir;
  Flushing run(Flushing::folder(dir), {program("driven", "handler")}, kOnDemand);
  const auto ready = ".integcov/ready." + std::to_string(run.driven());
  ASSERT_TRUE(
      eventually([&] { return std::filesystem::exists(dir / "cov" / ready) && has_covmeta(dir); }));
  run.tell("hit 10");
  const auto asked = test::run({go_integcov(), "--flush-now", std::to_string(run.process().pid())});
  EXPECT_EQ(asked.code, 0) << asked.err;
  EXPECT_TRUE(eventually([&] { return hits(dir / "s") == 10; }));
  EXPECT_EQ(run.signals(), 1) << "the request to the handler alone";
  EXPECT_EQ(run.end().code, 0);
}

// The signal would end the shell.
TEST(FlushNow, LeavesAShellAlone) {
  for (const char* build : {"handler", "count"}) {
    const TempDir dir;
    Flushing run(Flushing::folder(dir), {"/bin/sh", "-c", program("driven", build) + "; exit 7"},
                 kOnDemand);
    run.driven();
    ASSERT_TRUE(eventually([&] { return has_covmeta(dir); }));
    run.tell("hit 10");
    const std::string pid = std::to_string(run.process().pid());
    EXPECT_EQ(test::run({go_integcov(), "--flush-now", pid}).code, 0);
    EXPECT_TRUE(eventually([&] { return hits(dir / "s") == 10; }));
    run.tell("hit 1");
    EXPECT_EQ(run.end().code, 7);
    EXPECT_EQ(hits(dir / "s"), 11U);
  }
}

TEST(FlushNow, SignalsNoOtherProgram) {
  Process sleeper({program("sleeper"), "-print-signals", "-until", "SIGTERM"});
  ASSERT_TRUE(eventually([&] { return sleeper.out() == "ready\n"; }));
  const auto ended = run({go_integcov(), "--flush-now", std::to_string(sleeper.pid())});
  EXPECT_NE(ended.code, 0);
  EXPECT_NE(ended.err.find("is no go-integcov"), std::string::npos) << ended.err;
  sleeper.send(SIGTERM);
  EXPECT_EQ(sleeper.wait().out, "ready\nSIGTERM\n");
}

TEST(FlushNow, BeforeTheProgramHasStartedIsNotLost) {
  const TempDir dir;
  // The shell gives us the time to ask before there is coverage.
  Flushing run(Flushing::folder(dir),
               {"/bin/sh", "-c", "read -r line; exec " + program("driven", "count") + " -hit 5"},
               kOnDemand);
  const pid_t us = run.process().pid();
  const std::string status = "/proc/" + std::to_string(us) + "/task/" + std::to_string(us);
  ASSERT_TRUE(eventually([&] { return !read_file(status + "/children").empty(); }));
  EXPECT_TRUE(eventually(
      [&] { return test::run({go_integcov(), "--flush-now", std::to_string(us)}).code == 0; }));
  run.process().feed("go on\n");
  EXPECT_TRUE(eventually([&] { return !counters_in(read_tree(dir / "s")).empty(); }));
  EXPECT_EQ(run.end().code, 0);
  EXPECT_EQ(hits(dir / "s"), 5U);
}

TEST(FlushNow, IsToldThatSnapshotsAreOff) {
  const TempDir dir;
  Flushing run(Flushing::folder(dir), {"--flush=off", program("driven", "count")}, kOnDemand);
  run.driven();
  const std::string us = std::to_string(run.process().pid());
  EXPECT_EQ(test::run({go_integcov(), "--flush-now", us}).code, 0);
  EXPECT_TRUE(eventually([&] {
    return run.process().err().find("a snapshot was asked for, but none is taken") !=
           std::string::npos;
  }));
  EXPECT_EQ(run.end().code, 0);
}

TEST(Handler, IsSignalledWithWhatItListensTo) {
  const TempDir dir;
  // The option is ours; the program has its environment alone.
  Flushing run(Flushing::folder(dir), {"--flush-signal=USR2", program("driven", "handler")});
  run.driven();
  run.tell("hit 10");
  EXPECT_TRUE(eventually([&] { return hits(dir / "s") == 10; }));
  EXPECT_GT(run.signals(), 0) << "of SIGUSR1";
  const auto ended = run.end();
  EXPECT_EQ(ended.code, 0);
  EXPECT_EQ(lines_of(ended.err), 1U) << ended.err;
}

// As a file capability makes it, or another user: only that the process is there can be seen.
TEST(Handler, OfAProgramThatMayNotBeLookedIntoCountsOnce) {
  const TempDir dir;
  auto env = Flushing::folder(dir);
  env["INTEGCOV_FLUSH_INTERVAL"] = "50ms";
  Process process({go_integcov(), program("driven", "handler"), "-undumpable"},
                  {.env = env,
                   .before_exec = [] { prctl(PR_CAPBSET_DROP, 19 /* CAP_SYS_PTRACE */); },
                   .keep_stdin_open = true});
  for (const std::uint64_t total : {10U, 20U, 30U, 40U}) {
    process.feed("hit 10\n");
    EXPECT_TRUE(eventually([&] { return hits(dir / "s") == total; })) << process.err();
  }
  process.feed("hit 1\n");
  process.close_stdin();
  EXPECT_EQ(process.wait().code, 0);
  EXPECT_EQ(hits(dir / "s"), 41U);
  EXPECT_EQ(hits(dir / "cov"), 41U);
  EXPECT_EQ(counters_in(read_tree(dir / "s")).size(), 1U);
}

TEST(NoAnswer, IsSaidInOneSentence) {
  const TempDir dir;
  Flushing run(Flushing::folder(dir), {program("driven")}, "50ms",
               {{"INTEGCOV_FLUSH", "signal"}, {"INTEGCOV_FLUSH_WAIT", "50ms"}});
  run.driven();
  ASSERT_TRUE(eventually([&] { return run.signals() >= 4; }));
  run.tell("hit 10");
  const auto ended = run.end();
  EXPECT_EQ(count_of(ended.err, "got SIGUSR1 and wrote no snapshot in time"), 1U) << ended.err;
  EXPECT_EQ(lines_of(ended.err), 2U) << ended.err;
  EXPECT_EQ(hits(dir / "s"), 10U);
}

TEST(NoHandler, AProgramThatDoesNotCatchTheSignalIsNotEnded) {
  const TempDir dir;
  Flushing run(Flushing::folder(dir), {"/bin/sh", "-c", program("driven") + "; exit 7"}, "50ms",
               {{"INTEGCOV_FLUSH", "signal"}});
  run.driven();
  ASSERT_TRUE(eventually([&] {
    return run.process().err().find("does not catch SIGUSR1, which would end it") !=
           std::string::npos;
  })) << run.process().err();
  run.tell("hit 10");
  EXPECT_EQ(run.signals(), 0)
      << "only the user's word makes a child get it, and that is of the main one";
  const auto ended = run.end();
  EXPECT_EQ(ended.code, 7);
  EXPECT_EQ(count_of(ended.err, "no snapshot was taken"), 1U) << ended.err;
}

}  // namespace
}  // namespace integcov::test
