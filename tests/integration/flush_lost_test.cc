// What a program that doesn't end well leaves behind.
#include "integration/flush.h"

namespace integcov::test {
namespace {

class NothingLost : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Flush, NothingLost, testing::Values("handler", "count"),
                         [](const auto& build) { return std::string(build.param); });

bool is_of_counters(const ScriptedGcs::Call& call) {
  return call.method == "POST" && call.query.find("covcounters") != std::string::npos;
}

TEST_P(NothingLost, OfAProgramThatIgnoresSigtermAndIsKilledWithItsContainer) {
  const TempDir dir;
  const ScriptedGcs store;
  Flushing run(Flushing::bucket(dir, store), {program("driven", GetParam()), "-ignore"}, "0",
               {{"INTEGCOV_GRACE", "10s"}});
  const pid_t app = run.driven();
  run.tell("hit 10");
  store.await("POST /upload", 1, true);  // the covmeta
  run.process().send(SIGTERM);
  EXPECT_TRUE(eventually([&] { return hits(store) == 10; }));
  run.tell("hit 5");
  EXPECT_TRUE(eventually([&] { return hits(store) == 15; }));
  auto calls = store.calls();
  std::erase_if(calls, [](const auto& call) { return !is_of_counters(call); });
  ASSERT_GE(calls.size(), 2U);
  EXPECT_LT(calls.back().ms - calls.front().ms, 9000) << "both before the end of the grace";
  kill(app, SIGSTOP);  // it writes nothing more
  run.process().send(SIGKILL);
  kill(app, SIGKILL);
  run.process().wait();
  EXPECT_EQ(hits(store), 15U);
}

TEST_P(NothingLost, OfAPanicButTheLastInterval) {
  const TempDir dir;
  Flushing run(Flushing::folder(dir), {program("driven", GetParam())});
  run.driven();
  run.tell("hit 10");
  EXPECT_TRUE(eventually([&] { return hits(dir / "s") == 10; }));
  run.process().feed("hit 5\npanic\n");
  const auto ended = run.process().wait();
  EXPECT_EQ(ended.code, 2);
  EXPECT_NE(ended.err.find("panic: as told"), std::string::npos);
  EXPECT_GE(hits(dir / "s"), 10U);
  EXPECT_LE(hits(dir / "s"), 15U);
  EXPECT_EQ(counters_in(read_tree(dir / "s")).size(), 1U);
}

TEST_P(NothingLost, OfAProgramThatIsKilledButTheLastInterval) {
  const TempDir dir;
  const ScriptedGcs store;
  Flushing run(Flushing::bucket(dir, store), {program("driven", GetParam())});
  const pid_t app = run.driven();
  run.tell("hit 10");
  EXPECT_TRUE(eventually([&] { return hits(dir / "cov") == 10; }));
  kill(app, SIGKILL);
  EXPECT_EQ(run.process().wait().code, 128 + SIGKILL);
  EXPECT_EQ(hits(store), 10U);
  EXPECT_EQ(store.objects().size(), 2U);
}

}  // namespace
}  // namespace integcov::test
