// What happens while go-integcov doesn't come to look. It is stopped here; on a busy machine it
// just comes late.
#include "integration/flush.h"

namespace integcov::test {
namespace {

class Unseen : public testing::TestWithParam<const char*> {
 protected:
  // A shell's command that ends when that file is there, and how to make it.
  [[nodiscard]] std::string until(const std::string& file) const {
    return "while test ! -e " + (dir_ / file).string() + "; do sleep 0.01; done";
  }
  void now(const std::string& file) const { write_file(dir_ / file, ""); }

  [[nodiscard]] std::string driven() const { return program("driven", GetParam()); }
  // It lives until `now("end")`.
  [[nodiscard]] std::string another() const {
    return until("end") + " | " + driven() + " -hit 100";
  }
  // One begins at once and does what it is told, another after `now("go")`.
  [[nodiscard]] std::vector<std::string> one_and_then_another() const {
    return {"/bin/sh", "-c",
            "exec 3<&0; " + driven() + " <&3 & exec 3<&-; " + until("go") + "; " + another() +
                "; wait"};
  }
  // It has counted ten, which is stored, and go-integcov doesn't come to look from now on.
  void count_unseen_from_ten(Flushing& run) const {
    run.tell("hit 10");
    EXPECT_TRUE(eventually([&] { return stored() == 10; }));
    run.process().send(SIGSTOP);
  }
  [[nodiscard]] std::uint64_t stored() const { return hits(dir_ / "s"); }
  [[nodiscard]] Flushing::Env env() const { return Flushing::folder(dir_); }

  static void ends(Flushing& run, pid_t pid) {
    run.process().close_stdin();
    ASSERT_TRUE(eventually([&] {
      const std::string stat = read_file("/proc/" + std::to_string(pid) + "/stat");
      return stat.empty() || stat.find(") Z ") != std::string::npos;
    }));
  }

  TempDir dir_;
};
INSTANTIATE_TEST_SUITE_P(Flush, Unseen, testing::Values("handler", "count"),
                         [](const auto& build) { return std::string(build.param); });

TEST_P(Unseen, AProcessThatEndsWhenAnotherHasStartedCountsOnce) {
  Flushing run(env(), one_and_then_another());
  const pid_t pid = run.driven();
  count_unseen_from_ten(run);
  now("go");
  run.driven(2);
  run.tell("hit 5");
  ends(run, pid);
  run.process().send(SIGCONT);
  EXPECT_TRUE(eventually([&] { return stored() == 115; })) << stored();
  now("end");
  EXPECT_EQ(run.process().wait().code, 0);
  EXPECT_EQ(stored(), 115U);
  EXPECT_EQ(hits(dir_ / "cov"), 115U);
  EXPECT_EQ(counters_in(read_tree(dir_ / "s")).size(), 2U);
}

TEST_P(Unseen, AProcessThatIsExecutedAnewAndEndsIsCountedTwiceAsItCounted) {
  Flushing run(env(), one_and_then_another());
  run.driven();
  count_unseen_from_ten(run);
  run.process().feed("exec\n");
  const pid_t pid = run.driven(2);
  now("go");
  run.driven(3);
  run.tell("hit 50");
  ends(run, pid);
  run.process().send(SIGCONT);
  EXPECT_TRUE(eventually([&] { return stored() == 160; })) << stored();
  now("end");
  EXPECT_EQ(run.process().wait().code, 0);
  EXPECT_EQ(stored(), 160U);
  EXPECT_EQ(hits(dir_ / "cov"), 160U);
}

TEST_P(Unseen, AProgramOfAnEarlierRunThatEndsWhenTheNextHasStartedCountsOnce) {
  Flushing left(env(), {driven()});
  const pid_t pid = left.driven();
  left.tell("hit 10");
  EXPECT_TRUE(eventually([&] { return stored() == 10; }));
  left.process().send(SIGKILL);
  left.process().wait();

  Flushing next(
      env(), {"/bin/sh", "-c", "echo ready; " + until("go") + "; exec " + driven() + " -hit 100"});
  EXPECT_TRUE(eventually([&] { return next.process().out() == "ready\n"; }));
  next.process().send(SIGSTOP);
  now("go");
  next.driven();
  left.tell("hit 5");
  ends(left, pid);
  next.process().send(SIGCONT);
  EXPECT_TRUE(eventually([&] { return stored() == 115; })) << stored();
  EXPECT_EQ(next.end().code, 0);
  EXPECT_EQ(stored(), 115U);
  EXPECT_EQ(hits(dir_ / "cov"), 115U);
  EXPECT_EQ(counters_in(read_tree(dir_ / "s")).size(), 2U);
}

}  // namespace
}  // namespace integcov::test
