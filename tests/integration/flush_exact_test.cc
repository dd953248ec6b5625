// One file per process, however many snapshots: what is in the folder and in storage counts each
// run of a statement once.
#include "integration/flush.h"

namespace integcov::test {
namespace {

class Exact : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Flush, Exact, testing::Values("handler", "count"),
                         [](const auto& build) { return std::string(build.param); });

Tree below_prefix(const ObjectStore& store) {
  Tree tree;
  for (auto& [name, content] : store.objects(Records::included)) tree[name.substr(2)] = content;
  return tree;
}

// When each request to upload an object of such a name began: ms since the server's start.
std::map<std::string, std::vector<std::int64_t>> uploads(const ScriptedGcs& store,
                                                         const std::string& part) {
  std::map<std::string, std::vector<std::int64_t>> begun;
  for (const auto& call : store.calls(Records::included)) {
    const auto name = call.query.find("&name=");
    if (call.method != "POST" || name == std::string::npos) continue;
    const std::string object =
        call.query.substr(name + 6, call.query.find('&', name + 1) - name - 6);
    if (object.find(part) != std::string::npos) begun[object].push_back(call.ms);
  }
  return begun;
}

TEST_P(Exact, OneObjectThatIsReplacedAtMostOnceASecond) {
  const TempDir dir;
  const ScriptedGcs store;
  Flushing run(Flushing::bucket(dir, store), {program("driven", GetParam())});
  run.driven();
  for (int i = 1; i <= 3; ++i) {
    for (int j = 0; j < 10; ++j) run.tell("hit 100");
    EXPECT_TRUE(eventually([&] { return hits(store) == 1000U * static_cast<unsigned>(i); }));
  }
  run.tell("hit 1");
  EXPECT_EQ(run.end().code, 0);
  EXPECT_EQ(hits(store), 3001U);
  EXPECT_EQ(below_prefix(store), left_in(dir / "cov"));
  const auto begun = uploads(store, "covcounters");
  ASSERT_EQ(begun.size(), 1U);
  const auto& times = begun.begin()->second;
  EXPECT_GE(times.size(), 4U);
  // A request may take a while to the server: that is for the first one's.
  EXPECT_GE(times.back() - times.front(), 1000 * static_cast<std::int64_t>(times.size() - 1) - 900);
}

TEST_P(Exact, AnotherEmulatorAgrees) {
  const TempDir dir;
  const FakeGcsServer store;
  Flushing run(Flushing::bucket(dir, store), {program("driven", GetParam())});
  run.driven();
  for (const unsigned total : {10U, 20U}) {
    run.tell("hit 10");
    EXPECT_TRUE(eventually([&] { return hits(store) == total; }));
  }
  run.tell("hit 1");
  EXPECT_EQ(run.end().code, 0);
  EXPECT_EQ(hits(store), 21U);
  EXPECT_EQ(below_prefix(store), left_in(dir / "cov"));
}

TEST_P(Exact, WithoutStorageTheFolderHasOneFileToo) {
  const TempDir dir;
  Flushing run(Flushing::nowhere(dir), {program("driven", GetParam())});
  run.driven();
  std::string first;
  for (const unsigned total : {10U, 20U, 30U}) {
    run.tell("hit 10");
    Tree counters;  // the next snapshot is there beside it for a moment
    EXPECT_TRUE(eventually([&] {
      counters = counters_in(read_tree(dir / "cov"));
      return counters.size() == 1 && hits(dir / "cov") == total;
    }));
    ASSERT_EQ(counters.size(), 1U);
    if (first.empty()) first = counters.begin()->first;
    EXPECT_EQ(counters.begin()->first, first);
  }
  run.tell("hit 1");
  EXPECT_EQ(run.end().code, 0);
  EXPECT_EQ(hits(dir / "cov"), 31U);
  EXPECT_EQ(counters_in(read_tree(dir / "cov")).size(), 1U);
}

TEST_P(Exact, AProgramThatExecutesItselfKeepsBothCounts) {
  const TempDir dir;
  Flushing run(Flushing::folder(dir), {program("driven", GetParam())});
  for (unsigned image = 1; image <= 4; ++image) {
    if (image > 1) run.process().feed("exec\n");
    run.driven(image);
    run.tell("hit 10");
    EXPECT_TRUE(eventually([&] { return hits(dir / "s") == 10 * image; }))
        << image << ": " << hits(dir / "s");
  }
  run.tell("hit 1");
  EXPECT_EQ(run.end().code, 0);
  EXPECT_EQ(hits(dir / "s"), 41U);
  EXPECT_EQ(counters_in(read_tree(dir / "s")).size(), 4U);
  EXPECT_EQ(read_tree(dir / "s", Records::included), left_in(dir / "cov"));
}

TEST_P(Exact, ARestartInTheSameFolderCountsNothingTwice) {
  const TempDir dir;
  const ScriptedGcs store;
  for (unsigned start = 1; start <= 3; ++start) {
    Flushing run(Flushing::bucket(dir, store), {program("driven", GetParam())});
    run.driven();
    run.tell("hit 10");
    EXPECT_TRUE(eventually([&] { return hits(dir / "cov") == 15 * start - 5; }));
    run.tell("hit 5");
    EXPECT_EQ(run.end().code, 0);
    EXPECT_EQ(hits(store), 15 * start);
  }
  EXPECT_EQ(counters_in(store.objects()).size(), 3U);
  EXPECT_EQ(below_prefix(store), left_in(dir / "cov"));
}

// What was counted before a program cleared its counters stays, also when there is more later.
TEST(ClearedCounters, AreAddedUpInTheFolderAndInStorage) {
  const TempDir dir;
  Flushing run(Flushing::folder(dir), {program("driven", "atomic")});
  run.driven();
  run.tell("hit 100");
  EXPECT_TRUE(eventually([&] { return hits(dir / "s") == 100; }));
  run.tell("clear");
  run.tell("hit 3");
  EXPECT_TRUE(eventually([&] { return hits(dir / "s") == 103; }));
  run.tell("hit 5000");
  EXPECT_TRUE(eventually([&] { return hits(dir / "s") == 5103; }));
  EXPECT_EQ(run.end().code, 0);
  for (int runs = 0; runs < 2; ++runs) {
    EXPECT_EQ(hits(dir / "s"), 5103U);
    EXPECT_EQ(hits(dir / "cov"), 5103U);
    EXPECT_EQ(counters_in(read_tree(dir / "cov")), counters_in(read_tree(dir / "s")));
    EXPECT_EQ(test::run({go_integcov(), "true"}, {.env = Flushing::folder(dir)}).code, 0);
  }
}

TEST(NoCounterMoved, NothingIsUploaded) {
  const TempDir dir;
  const ScriptedGcs store;
  Flushing run(Flushing::bucket(dir, store), {program("driven", "handler"), "-deaf", "-hit", "5"});
  run.driven();
  EXPECT_TRUE(eventually([&] { return hits(store) == 5; }));
  const auto uploaded = [&] { return uploads(store, "covcounters"); };
  // Every snapshot of the handler is a file for a moment.
  auto last = std::filesystem::last_write_time(dir / "cov");
  const auto one_more = [&] {
    const auto now = std::filesystem::last_write_time(dir / "cov");
    return std::exchange(last, now) != now;
  };
  // Whatever it still did at its start is counted by then.
  const auto settled = std::chrono::steady_clock::now() + std::chrono::seconds(2);
  EXPECT_TRUE(eventually([&] { return std::chrono::steady_clock::now() > settled; }));
  const std::size_t before = uploaded().begin()->second.size();
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(eventually(one_more));
  EXPECT_EQ(uploaded().size(), 1U);
  EXPECT_EQ(uploaded().begin()->second.size(), before);
  EXPECT_EQ(run.end().code, 0);
}

TEST(Unreadable, CountersGoUpUnchangedUnderTheirOwnNames) {
  const TempDir dir;
  Flushing run(Flushing::folder(dir), {program("driven", "count")});
  run.driven();
  run.tell("hit 10");
  ASSERT_TRUE(eventually([&] { return hits(dir / "s") == 10; }));
  // As if the same process had written them.
  const std::string name = counters_in(read_tree(dir / "cov")).begin()->first;
  const std::string stem = name.substr(0, name.rfind('.') + 1);
  const std::uint64_t ns = std::stoull(name.substr(stem.size()));
  const Tree strange{{stem + std::to_string(ns + 1), ""},
                     {stem + std::to_string(ns + 2), "no counters"},
                     {stem + std::to_string(ns + 3), read_file(dir / "cov" / name).substr(0, 40)},
                     {stem + std::to_string(ns - 1), "older"}};
  for (const auto& [file, content] : strange) write_file(dir / "cov" / file, content);
  const auto all_there = [&] {
    const Tree stored = read_tree(dir / "s");
    return std::ranges::all_of(strange, [&](const auto& file) {
      const auto found = stored.find(file.first);
      return found != stored.end() && found->second == file.second;
    });
  };
  EXPECT_TRUE(eventually(all_there));
  run.tell("hit 10");
  EXPECT_EQ(run.end().code, 0);
  EXPECT_TRUE(all_there());
  EXPECT_EQ(read_tree(dir / "s"), read_tree(dir / "cov"));
  for (const auto& [file, _] : strange) std::filesystem::remove(dir / "s" / file);
  EXPECT_EQ(hits(dir / "s"), 20U);
}

}  // namespace
}  // namespace integcov::test
