// Many processes, many runs, one bucket; and a bucket that lets nothing be replaced.
#include <unistd.h>

#include <random>
#include <set>

#include "integration/flush.h"

namespace integcov::test {
namespace {

namespace fs = std::filesystem;

std::vector<pid_t> children_of(pid_t pid) {
  const std::string id = std::to_string(pid);
  std::istringstream text(read_file("/proc/" + id + "/task/" + id + "/children"));
  std::vector<pid_t> children;
  for (pid_t child = 0; text >> child;) children.push_back(child);
  return children;
}

// Both at once, as when a container is killed.
void kill_with_its_program(Process& process) {
  process.send(SIGSTOP);
  const std::string status = "/proc/" + std::to_string(process.pid()) + "/stat";
  ASSERT_TRUE(eventually([&] { return read_file(status).find(") T ") != std::string::npos; }));
  const auto children = children_of(process.pid());
  process.send(SIGKILL);
  for (const pid_t child : children) kill(child, SIGKILL);
  process.wait();
  for (const pid_t child : children) {  // somebody else reaps it
    const std::string there = "/proc/" + std::to_string(child) + "/stat";
    ASSERT_TRUE(eventually([&] {
      const std::string stat = read_file(there);
      return stat.empty() || stat.find(") Z ") != std::string::npos ||
             stat.find(") X ") != std::string::npos;
    }));
  }
}

constexpr std::uint64_t kLines = 100;
constexpr std::uint64_t kHitsPerLine = 50'000;

// `rounds` times a run in the same folder that is killed before `longest` is over.
void kill_rounds(const Flushing::Env& env, const std::string& build, int rounds,
                 std::chrono::milliseconds longest, unsigned seed) {
  std::mt19937 random(seed);
  std::string lines;
  for (std::uint64_t i = 0; i < kLines; ++i) {
    lines += "hit " + std::to_string(kHitsPerLine) + "\n";
  }
  for (int round = 0; round < rounds; ++round) {
    Flushing run(env, {program("driven", build)}, "20ms");
    run.process().feed(lines);
    if (round == 0) {
      ASSERT_TRUE(eventually([&] { return hits(env.at("GOCOVERDIR")) > 0; }));
    }
    const auto at = std::chrono::steady_clock::now() +
                    std::chrono::milliseconds(random() % static_cast<unsigned>(longest.count()));
    eventually([&] { return std::chrono::steady_clock::now() >= at; });
    kill_with_its_program(run.process());
  }
}

void expect_one_file_a_process(const Tree& tree, int most) {
  std::set<std::string> pids;
  const Tree counters = counters_in(tree);
  for (const auto& [name, _] : counters) {
    EXPECT_TRUE(pids.insert(pid_in(name)).second) << name;
  }
  EXPECT_LE(counters.size(), static_cast<std::size_t>(most));
}

class Killed : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Flush, Killed, testing::Values("handler", "count"),
                         [](const auto& build) { return std::string(build.param); });

// Twenty-five of each kind.
TEST_P(Killed, AtRandomTimesCountsNothingTwice) {
  constexpr int kRounds = 25;
  const TempDir dir;
  const auto env = Flushing::folder(dir);
  kill_rounds(env, GetParam(), kRounds, std::chrono::milliseconds(300), 7);
  EXPECT_EQ(run({go_integcov(), "true"}, {.env = env}).code, 0);
  EXPECT_EQ(counters_in(read_tree(dir / "s")), counters_in(read_tree(dir / "cov")));
  expect_one_file_a_process(read_tree(dir / "s"), kRounds);
  const std::uint64_t total = hits(dir / "s");
  EXPECT_EQ(total, hits(dir / "cov"));
  EXPECT_GT(total, 0U);
  EXPECT_LE(total, kRounds * kLines * kHitsPerLine);
}

TEST_P(Killed, TheBucketEqualsTheFolderAfterTheNextRun) {
  constexpr int kRounds = 4;
  const TempDir dir;
  const ScriptedGcs store;
  const auto env = Flushing::bucket(dir, store);
  kill_rounds(env, GetParam(), kRounds, std::chrono::milliseconds(2000), 11);
  EXPECT_EQ(run({go_integcov(), "true"}, {.env = env}).code, 0);
  const TempDir copy;
  download(store.objects(), "f/", copy / "f");
  EXPECT_EQ(counters_in(read_tree(copy / "f")), counters_in(read_tree(dir / "cov")));
  expect_one_file_a_process(store.objects(), kRounds);
  EXPECT_LE(hits(store), kRounds * kLines * kHitsPerLine);
}

// A pool of workers: one begins as another ends, and a snapshot of each may be there beside its own
// last file, when its process is gone and others have started.
TEST(Workers, ThatFollowEachOtherCountOnce) {
  constexpr std::uint64_t kWorkers = 100;
  constexpr std::uint64_t kHitsOfEach = 10;
  const TempDir dir;
  const std::string worker = "(sleep 0.1; echo hit 4) | " + program("driven", "count") + " -hit 6";
  Flushing run(Flushing::folder(dir),
               {"/bin/sh", "-c",
                "seq " + std::to_string(kWorkers) + " | xargs -P 8 -I {} sh -c '" + worker + "'"},
               "100ms", {{"INTEGCOV_LOG_LEVEL", "debug"}});
  const auto ended = run.process().wait();
  EXPECT_EQ(ended.code, 0);
  EXPECT_GT(count_of(ended.err, "uploaded covcounters."), kWorkers) << "there were no snapshots";
  EXPECT_GE(hits(dir / "s"), kWorkers * kHitsOfEach);
  // On a busy machine it may not turn out of one what it is.
  EXPECT_LE(hits(dir / "s"), (kWorkers + 2) * kHitsOfEach);
  EXPECT_EQ(hits(dir / "s"), hits(dir / "cov"));
}

// As containers are: each is PID 1 of a namespace, and the program's pid is the same in all.
class PidNamespaces : public testing::Test {
 protected:
  void SetUp() override {
    if (run(as_pid1({"true"})).code != 0) GTEST_SKIP() << "PID namespaces need root and unshare(1)";
  }
  static std::vector<std::string> as_pid1(std::vector<std::string> command) {
    const std::vector<std::string> unshare{"unshare", "-p", "-f", "--mount-proc", "--kill-child"};
    command.insert(command.begin(), unshare.begin(), unshare.end());
    return command;
  }
  void start(Flushing::Env env, const std::string& build) {
    env["INTEGCOV_FLUSH_INTERVAL"] = "100ms";
    containers_.push_back(
        std::make_unique<Process>(as_pid1({go_integcov(), program("driven", build)}),
                                  Options{.env = std::move(env), .keep_stdin_open = true}));
  }
  void tell_all(const std::string& line) {
    for (const auto& container : containers_) container->feed(line + "\n");
  }
  std::vector<Ended> end_all() {
    std::vector<Ended> all;
    for (const auto& container : containers_) container->close_stdin();
    for (const auto& container : containers_) all.push_back(container->wait());
    containers_.clear();
    return all;
  }
  static void expect_files_of_one_pid(const Tree& tree, std::size_t number) {
    std::set<std::string> pids;
    const Tree counters = counters_in(tree);
    for (const auto& [name, _] : counters) pids.insert(pid_in(name));
    EXPECT_EQ(counters.size(), number);
    EXPECT_EQ(pids.size(), 1U);
  }

  std::vector<std::unique_ptr<Process>> containers_;
};

TEST_F(PidNamespaces, WithTheSamePidsInOneBucketAddUp) {
  const TempDir dirs[3];
  const ScriptedGcs store({"-name-interval", "1s"});
  for (const TempDir& dir : dirs) {
    start(Flushing::bucket(dir, store), "handler");
    containers_.back()->feed("hit " + std::to_string(containers_.size() * 100) + "\n");
  }
  EXPECT_TRUE(eventually([&] { return hits(store) == 600; }));
  tell_all("hit 1");
  EXPECT_TRUE(eventually([&] { return hits(store) == 603; }));
  tell_all("hit 10");
  for (const Ended& ended : end_all()) {
    EXPECT_EQ(ended.code, 0);
    EXPECT_EQ(lines_of(ended.err), 1U) << ended.err;
  }
  EXPECT_EQ(hits(store), 633U);
  expect_files_of_one_pid(store.objects(), 3);
}

// Replicas with one volume. The first one has it, the others have folders of their own in it.
TEST_F(PidNamespaces, WithTheSamePidsInOneFolderAddUpWithAndWithoutAStorage) {
  for (const char* build : {"handler", "count"}) {
    for (const bool stores : {true, false}) {
      const TempDir dir;
      const Flushing::Env env = stores ? Flushing::folder(dir) : Flushing::nowhere(dir);
      for (int i = 0; i < 3; ++i) start(env, build);
      EXPECT_TRUE(eventually([&] {
        return std::ranges::all_of(containers_, [](const auto& container) {
          return container->out().find("pid ") != std::string::npos;
        });
      }));
      // As many hits in each: one of them taken for another one's newer snapshot would be lost.
      for (unsigned i = 0; i < 5; ++i) {
        tell_all("hit 100");
        if (stores) {
          EXPECT_TRUE(eventually([&] { return hits(dir / "s") == 300 * (i + 1); }));
        }
      }
      tell_all("hit 1");
      int own = 0;
      for (const Ended& ended : end_all()) {
        EXPECT_EQ(ended.code, 0);
        own += ended.err.find("another go-integcov uses") != std::string::npos ? 1 : 0;
      }
      EXPECT_EQ(own, 2);
      if (stores) {
        EXPECT_EQ(hits(dir / "s"), 1503U);
        expect_files_of_one_pid(read_tree(dir / "s"), 3);
      }
      EXPECT_EQ(run({go_integcov(), "true"}, {.env = Flushing::nowhere(dir)}).code, 0);
      EXPECT_EQ(hits(dir / "cov"), 1503U) << build;
      expect_files_of_one_pid(read_tree(dir / "cov"), 3);
    }
  }
}

// A container that is killed and restarted at once, again and again, on one volume: what an earlier
// run left has the pid of the program that runs now.
TEST_F(PidNamespaces, RestartedInOneFolderAddUp) {
  for (const char* build : {"handler", "count"}) {
    const TempDir dir;
    std::uint64_t total = 0;
    for (unsigned round = 1; round <= 5; ++round) {
      start(Flushing::folder(dir), build);
      for (int i = 0; i < 2; ++i) {
        tell_all("hit " + std::to_string(round * 10));
        total += round * 10;
        EXPECT_TRUE(eventually([&] { return hits(dir / "s") == total; })) << round;
      }
      // With PID 1 all others die before unshare can reap it.
      for (const pid_t pid1 : children_of(containers_.back()->pid())) kill(pid1, SIGKILL);
      containers_.back()->wait();
      containers_.clear();
    }
    EXPECT_EQ(run({go_integcov(), "true"}, {.env = Flushing::folder(dir)}).code, 0);
    EXPECT_EQ(hits(dir / "s"), total);
    EXPECT_EQ(hits(dir / "cov"), total);
    expect_files_of_one_pid(read_tree(dir / "s"), 5);
  }
}

TEST(CreateOnly, SnapshotsAreAddedUnderNewNamesAndThatIsSaidOnce) {
  const TempDir dir;
  const ScriptedGcs store({"-rights", "create"});
  Flushing run(Flushing::bucket(dir, store), {program("driven", "count")});
  run.driven();
  const auto objects = [&] {
    Tree sizes = store.sizes();
    return counters_in(sizes).size();
  };
  for (std::size_t snapshots = 1; snapshots <= 3; ++snapshots) {
    run.tell("hit 10");
    EXPECT_TRUE(eventually([&] { return objects() >= snapshots; }));
  }
  run.tell("hit 1");
  const auto ended = run.end();
  EXPECT_EQ(ended.code, 0);
  EXPECT_EQ(count_of(ended.err, "under new names"), 1U) << ended.err;
  EXPECT_EQ(lines_of(ended.err), 2U) << ended.err;
  EXPECT_EQ(hits(dir / "cov"), 31U);
  EXPECT_EQ(counters_in(read_tree(dir / "cov")).size(), 1U);

  // The record names them all, the newest last.
  const Tree sizes = store.sizes(Records::included);
  const Tree files = read_tree(dir / "cov", Records::included);
  const auto end = std::ranges::find_if(
      files, [](const auto& file) { return file.first.ends_with(".end.json"); });
  ASSERT_NE(end, files.end());
  EXPECT_TRUE(sizes.contains("f/" + end->first));
  std::size_t named = 0;
  std::size_t last = 0;
  for (const auto& [name, _] : counters_in(sizes)) {
    const auto at = end->second.find('"' + name.substr(2) + '"');
    EXPECT_NE(at, std::string::npos) << name << "\n" << end->second;
    EXPECT_GT(at, last) << "not in the order of their times";
    last = at;
    ++named;
  }
  EXPECT_GE(named, 4U);
}

TEST(CreateOnly, TheIntervalDoublesWithEachSnapshot) {
  const TempDir dir;
  const ScriptedGcs store({"-rights", "create"});
  Flushing run(Flushing::bucket(dir, store), {program("driven", "count")}, "20ms");
  run.driven();
  // The counters move faster than ever a snapshot is taken.
  const auto begin = std::chrono::steady_clock::now();
  std::chrono::milliseconds passed{};
  const auto two_are_there = [&] { return counters_in(store.sizes()).size() >= 2; };
  while (passed < std::chrono::seconds(3) || !two_are_there()) {
    run.tell("hit 1");
    passed = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::steady_clock::now() - begin);
  }
  EXPECT_EQ(run.end().code, 0);
  // 20, 40, 80 … ms: after n of them 20 * (2^n - 1) have passed, a tenth more or less. One is taken
  // before it is known that nothing may be replaced, one at the end.
  std::size_t most = 3;
  for (std::int64_t sum = 18, next = 36; sum <= passed.count(); sum += next, next *= 2) ++most;
  Tree sizes = store.sizes();
  EXPECT_LE(counters_in(sizes).size(), most);
  EXPECT_GE(counters_in(sizes).size(), 3U);
}

}  // namespace
}  // namespace integcov::test
