// Programs that go on when their go-integcov doesn't, and others that start beside a program.
#include <sys/prctl.h>

#include "integration/flush.h"

namespace integcov::test {
namespace {

class LeftAlone : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Flush, LeftAlone, testing::Values("handler", "count"),
                         [](const auto& build) { return std::string(build.param); });

bool is_gone(pid_t pid) {
  const std::string stat = read_file("/proc/" + std::to_string(pid) + "/stat");
  return stat.empty() || stat.find(") Z ") != std::string::npos;
}

// A shell's command that ends when the file is there.
std::string until_there(const std::filesystem::path& file) {
  return "while test ! -e " + file.string() + "; do sleep 0.01; done";
}

// `run`'s go-integcov is killed alone, its program isn't.
void kill_alone(Flushing& run) {
  run.process().send(SIGKILL);
  run.process().wait();
}

void end_program(Flushing& run, pid_t program) {
  run.process().close_stdin();
  ASSERT_TRUE(eventually([&] { return is_gone(program); }));
}

TEST_P(LeftAlone, AProgramThatEndsDuringTheNextRunCountsOnce) {
  const TempDir dir;
  const ScriptedGcs store;
  Flushing left(Flushing::bucket(dir, store), {program("driven", GetParam())});
  const pid_t pid = left.driven();
  left.tell("hit 10");
  EXPECT_TRUE(eventually([&] { return hits(store) == 10; }));
  kill_alone(left);

  Flushing next(Flushing::bucket(dir, store), {program("driven", GetParam())});
  next.driven();
  next.tell("hit 100");
  EXPECT_TRUE(eventually([&] { return hits(store) == 110; }));
  left.tell("hit 5");
  end_program(left, pid);
  EXPECT_TRUE(eventually([&] { return hits(store) == 115; })) << hits(store);
  next.tell("hit 1");
  EXPECT_EQ(next.end().code, 0);
  EXPECT_EQ(hits(store), 116U);
  EXPECT_EQ(hits(dir / "cov"), 116U);
  EXPECT_EQ(counters_in(read_tree(dir / "cov")).size(), 2U);
  EXPECT_EQ(counters_in(store.objects()).size(), 2U);
}

TEST_P(LeftAlone, AProgramThatEndsBetweenTwoRunsOrAfterThemCountsOnce) {
  const TempDir dir;
  const auto env = Flushing::folder(dir);
  const std::string driven = program("driven", GetParam());
  Flushing first(env, {driven});
  const pid_t first_pid = first.driven();
  Flushing second(env, {driven});  // in a folder of its own
  const pid_t second_pid = second.driven();
  first.tell("hit 10");
  second.tell("hit 1000");
  EXPECT_TRUE(eventually([&] { return hits(dir / "s") == 1010; }));
  kill_alone(first);
  kill_alone(second);

  EXPECT_EQ(run({go_integcov(), driven}, {.env = env}).code, 0);
  EXPECT_EQ(hits(dir / "s"), 1010U) << "both go on";
  first.tell("hit 5");
  end_program(first, first_pid);
  second.tell("hit 500");
  end_program(second, second_pid);
  EXPECT_EQ(run({go_integcov(), driven}, {.env = env}).code, 0);
  EXPECT_EQ(hits(dir / "s"), 1515U);
  EXPECT_EQ(hits(dir / "cov"), 1515U);
}

// A shell that leaves a daemon behind: its go-integcov ends as it should, a second later.
TEST_P(LeftAlone, ADaemonThatOutlivesItsRunCountsOnce) {
  const TempDir dir;
  const auto env = Flushing::folder(dir);
  const std::string driven = program("driven", GetParam());
  Flushing daemon(env, {"/bin/sh", "-c",
                        "exec 3<&0; " + driven + " <&3 & exec 3<&-; " + until_there(dir / "go")});
  const pid_t pid = daemon.driven();
  daemon.tell("hit 10");
  EXPECT_TRUE(eventually([&] { return hits(dir / "s") == 10; }));
  write_file(dir / "go", "");
  EXPECT_EQ(daemon.process().wait().code, 0);

  EXPECT_EQ(run({go_integcov(), driven}, {.env = env}).code, 0);
  EXPECT_EQ(hits(dir / "s"), 10U) << "it goes on";
  daemon.tell("hit 5");
  end_program(daemon, pid);
  EXPECT_EQ(run({go_integcov(), driven}, {.env = env}).code, 0);
  EXPECT_EQ(hits(dir / "s"), 15U);
  EXPECT_EQ(hits(dir / "cov"), 15U);
}

TEST(BesideOthers, WhatAProgramWroteUnaskedBeforeTheFirstSnapshotCountsOnce) {
  const TempDir dir;
  const std::string driven = program("driven", "handler");
  Flushing run(Flushing::folder(dir),
               {"/bin/sh", "-c",
                "exec 3<&0; " + driven + " <&3 & " + until_there(dir / "go") + "; " + driven +
                    " -hit 100 </dev/null; wait"},
               "1h");
  const pid_t pid = run.driven();
  // The 15 ms have passed within which a start can't be told from a file.
  const auto old_enough = std::chrono::steady_clock::now() + std::chrono::milliseconds(50);
  const auto ready = dir / "cov" / ".integcov" / ("ready." + std::to_string(pid));
  EXPECT_TRUE(eventually([&] {
    return std::chrono::steady_clock::now() >= old_enough && std::filesystem::exists(ready) &&
           !read_tree(dir / "s").empty();
  }));
  run.tell("hit 10");
  kill(pid, SIGUSR1);
  EXPECT_TRUE(eventually([&] { return hits(dir / "s") == 10; }));
  write_file(dir / "go", "");
  EXPECT_TRUE(eventually([&] { return hits(dir / "s") == 110; }));
  run.tell("hit 5");
  kill(pid, SIGUSR1);
  EXPECT_TRUE(eventually([&] { return hits(dir / "s") == 115; })) << hits(dir / "s");
  run.tell("hit 1");
  EXPECT_EQ(run.end().code, 0);
  EXPECT_EQ(hits(dir / "s"), 116U);
  EXPECT_EQ(counters_in(read_tree(dir / "s")).size(), 2U);
}

// As a file capability makes them, or another user.
TEST(BesideOthers, AProgramThatMayNotBeLookedIntoCountsOnce) {
  const TempDir dir;
  auto env = Flushing::folder(dir);
  env["INTEGCOV_FLUSH_INTERVAL"] = "50ms";
  const std::string driven = program("driven", "handler") + " -undumpable";
  Process process({go_integcov(), "/bin/sh", "-c",
                   "exec 3<&0; " + driven + " <&3 & for more in 1 2 3 4; do sleep 0.3; " + driven +
                       " -hit 100 </dev/null; done; wait"},
                  {.env = env,
                   .before_exec = [] { prctl(PR_CAPBSET_DROP, 19 /* CAP_SYS_PTRACE */); },
                   .keep_stdin_open = true});
  for (const std::uint64_t total : {10U, 20U, 30U}) {
    process.feed("hit 10\n");
    EXPECT_TRUE(eventually([&] { return hits(dir / "s") % 100 == total; })) << process.err();
  }
  EXPECT_TRUE(eventually([&] { return hits(dir / "s") == 430; })) << hits(dir / "s");
  process.feed("hit 10\n");
  EXPECT_TRUE(eventually([&] { return hits(dir / "s") == 440; })) << hits(dir / "s");
  process.feed("hit 1\n");
  process.close_stdin();
  EXPECT_EQ(process.wait().code, 0);
  EXPECT_EQ(hits(dir / "s"), 441U);
  EXPECT_EQ(hits(dir / "cov"), 441U);
  EXPECT_EQ(counters_in(read_tree(dir / "s")).size(), 5U);
}

}  // namespace
}  // namespace integcov::test
