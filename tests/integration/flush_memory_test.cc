// Snapshots from the program's memory: no handler, no signal, any mode.
#include <sys/prctl.h>

#include "integration/flush.h"

namespace integcov::test {
namespace {

constexpr std::uint64_t kHits = 30'000'000;

class FromMemory : public testing::TestWithParam<const char*> {
 protected:
  [[nodiscard]] static std::uint64_t seen(std::uint64_t times) {
    return std::string(GetParam()) == "set" ? std::min<std::uint64_t>(times, 1) : times;
  }
};
INSTANTIATE_TEST_SUITE_P(Flush, FromMemory, testing::Values("set", "count", "atomic"),
                         [](const auto& mode) { return std::string(mode.param); });

TEST_P(FromMemory, ACountTo30000000WhileItIsFlushedIsExact) {
  const TempDir dir;
  Flushing run(Flushing::folder(dir), {program("driven", GetParam())});
  run.driven();
  constexpr std::uint64_t kSteps = 30;
  Tree before;
  for (std::uint64_t step = 1; step <= kSteps; ++step) {
    run.tell("hit " + std::to_string(kHits / kSteps));
    if (step > 1 && seen(2) == 1) continue;  // no counter moves any more
    EXPECT_TRUE(eventually([&] {
      const Tree now = counters_in(read_tree(dir / "s"));
      return !now.empty() && now != before;
    }));
    before = counters_in(read_tree(dir / "s"));
  }
  EXPECT_TRUE(eventually([&] { return hits(dir / "s") == seen(kHits); }));
  EXPECT_TRUE(run.process().running());
  EXPECT_EQ(run.signals(), 0);
  EXPECT_EQ(run.end().code, 0);
  EXPECT_EQ(hits(dir / "s"), seen(kHits));
  EXPECT_EQ(counters_in(read_tree(dir / "s")).size(), 1U);
  EXPECT_EQ(read_tree(dir / "s", Records::included), read_tree(dir / "cov", Records::included));
}

TEST_P(FromMemory, ABucketHasTheCountsWhileTheProgramRunsAndExactlyAtItsEnd) {
  const TempDir dir;
  const ScriptedGcs store({"-name-interval", "1s"});
  Flushing run(Flushing::bucket(dir, store), {program("counts", GetParam())});
  EXPECT_TRUE(eventually([&] { return hits(store) == seen(kHits); }));
  EXPECT_TRUE(run.process().running());
  const auto ended = run.end();
  EXPECT_EQ(ended.out, "done\n");
  EXPECT_EQ(lines_of(ended.err), 1U) << ended.err;
  EXPECT_EQ(hits(store), seen(kHits));
  EXPECT_EQ(counters_in(store.objects()).size(), 1U);
}

// Go's counters have 32 bits.
TEST(FromMemoryOf, ACounterThatPasses4294967295HasItsNewestCountAndThatIsSaidOnce) {
  constexpr std::uint64_t kWrap = 1ULL << 32;
  const TempDir dir;
  Flushing run(Flushing::folder(dir), {program("driven", "count")});
  run.driven();
  const auto seen = [&](std::uint64_t count) {
    return eventually([&] { return hits(dir / "s") == count; });
  };
  for (int i = 0; i < 15; ++i) run.tell("hit " + std::to_string(kWrap / 16));
  run.tell("hit " + std::to_string(kWrap / 16 - 1000));
  EXPECT_TRUE(seen(kWrap - 1000));
  run.tell("hit 1500");
  EXPECT_TRUE(seen(500));
  run.tell("hit 7");
  EXPECT_TRUE(seen(507));
  const auto ended = run.end();
  EXPECT_EQ(ended.code, 0);
  EXPECT_EQ(count_of(ended.err, "passed 4294967295"), 1U) << ended.err;
  EXPECT_EQ(lines_of(ended.err), 2U) << ended.err;
  EXPECT_EQ(counters_in(read_tree(dir / "s")).size(), 1U);
}

TEST(FromMemoryOf, AStrippedPie) {
  const TempDir dir;
  Flushing run(Flushing::folder(dir), {program("driven", "pie_stripped")});
  run.tell("hit 10");
  EXPECT_TRUE(eventually([&] { return hits(dir / "s") == 1; }));
  EXPECT_EQ(run.end().code, 0);
}

TEST(FromMemoryOf, ChildrenBuiltWithCover) {
  const std::string driven = program("driven", "count");
  const TempDir dir;
  Flushing run(Flushing::folder(dir),
               {"/bin/sh", "-c",
                "exec 3<&0; " + driven + " -hit 5 <&3 & " + driven + " -hit 7; wait; exit 3"});
  run.driven(2);
  EXPECT_TRUE(eventually([&] { return hits(dir / "s") == 12; }));
  const auto ended = run.end();
  EXPECT_EQ(ended.code, 3);
  EXPECT_EQ(lines_of(ended.err), 1U) << ended.err;
  EXPECT_EQ(hits(dir / "s"), 12U);
  EXPECT_EQ(counters_in(read_tree(dir / "s")).size(), 2U);
}

TEST(FromMemoryOf, AProgramThatMayNotBeReadIsSaidOnceAndCountersComeAtItsEnd) {
  const TempDir dir;
  auto env = Flushing::folder(dir);
  env["INTEGCOV_FLUSH_INTERVAL"] = "50ms";
  Process process({go_integcov(), program("driven"), "-undumpable"},
                  {.env = env,
                   .before_exec = [] { prctl(PR_CAPBSET_DROP, 19 /* CAP_SYS_PTRACE */); },
                   .keep_stdin_open = true});
  ASSERT_TRUE(eventually([&] { return !process.err().empty(); }));
  process.feed("hit 10\n");
  EXPECT_TRUE(eventually([&] { return process.out().ends_with("done\n"); }));
  process.close_stdin();
  const auto ended = process.wait();
  EXPECT_EQ(ended.code, 0);
  EXPECT_EQ(count_of(ended.err, "no snapshots are taken of the running program"), 1U) << ended.err;
  EXPECT_EQ(lines_of(ended.err), 2U) << ended.err;
  EXPECT_EQ(hits(dir / "s"), 10U);
}

}  // namespace
}  // namespace integcov::test
