// Which files go up, and when: subfolders, links, leftovers, careless folders, two supervisors.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <csignal>

#include "integration/scenario.h"

namespace integcov::test {
namespace {

namespace fs = std::filesystem;

std::map<std::string, std::string> folder_env(const TempDir& dir) {
  return {{"INTEGCOV_STORAGE", "file://" + (dir / "s").string()},
          {"GOCOVERDIR", (dir / "cov").string()}};
}

std::vector<std::string> names(const std::map<std::string, std::string>& tree) {
  std::vector<std::string> result;
  for (const auto& [name, _] : tree) result.push_back(name);
  return result;
}

std::size_t coverage_files(const std::map<std::string, std::string>& tree) {
  return static_cast<std::size_t>(
      std::ranges::count_if(tree, [](const auto& file) { return file.first.starts_with("cov"); }));
}

TEST(Files, EveryRegularFileButTemporaryOnesAndLinks) {
  const TempDir dir;
  const ScriptedGcs store;
  const auto ended =
      run({go_integcov(), program("files")}, {.env = {{"INTEGCOV_STORAGE", "gs://bucket/f"},
                                                      {"STORAGE_EMULATOR_HOST", store.url()},
                                                      {"GOCOVERDIR", (dir / "cov").string()}}});
  EXPECT_EQ(ended.code, 0) << ended.err;
  auto expected = read_tree(dir / "cov");
  EXPECT_EQ(expected.erase("tmp.covmeta.x"), 1U);
  EXPECT_EQ(expected.erase("sub/tmp.covcounters.y"), 1U);
  EXPECT_EQ(expected.size(), 2U + 6U);
  download(store.objects(), "f/", dir / "download");
  EXPECT_EQ(read_tree(dir / "download"), expected);
}

TEST(Files, OtherFilesWaitForTheEnd) {
  const TempDir dir;
  Process process({go_integcov(), program("sleeper")}, {.env = folder_env(dir)});
  ASSERT_TRUE(eventually([&] { return coverage_files(read_tree(dir / "s")) == 1; }));
  write_file(dir / "cov/deep/down/app.log", "one");
  // A coverage file in the same new subfolder goes up at once.
  write_file(dir / "cov/deep/down/covmeta.0123456789abcdef0123456789abcdef", "x");
  EXPECT_TRUE(eventually([&] {
    return read_tree(dir / "s").contains("deep/down/covmeta.0123456789abcdef0123456789abcdef");
  }));
  EXPECT_FALSE(read_tree(dir / "s").contains("deep/down/app.log"));
  process.send(SIGTERM);
  process.wait();
  EXPECT_EQ(read_tree(dir / "s"), read_tree(dir / "cov"));
}

TEST(Files, AFolderThatWeMakeIsOurs) {
  const TempDir dir;
  run({go_integcov(), "true"}, {.env = {{"GOCOVERDIR", (dir / "a/b").string()}}});
  struct stat info{};
  ASSERT_EQ(stat((dir / "a/b").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0700U);
}

TEST(Files, LeftoversGoUpOnce) {
  const TempDir dir;
  const ScriptedGcs store;
  const std::map<std::string, std::string> env{{"INTEGCOV_STORAGE", "gs://bucket/f"},
                                               {"STORAGE_EMULATOR_HOST", store.url()},
                                               {"GOCOVERDIR", (dir / "cov").string()}};
  // A first run without storage leaves its files.
  run({go_integcov(), program("hello")}, {.env = {{"GOCOVERDIR", (dir / "cov").string()}}});
  write_file(dir / "cov/app.log", "kept");
  const auto leftovers = read_tree(dir / "cov");

  EXPECT_EQ(run({go_integcov(), "true"}, {.env = env}).code, 0);
  download(store.objects(), "f/", dir / "first");
  EXPECT_EQ(read_tree(dir / "first"), leftovers);
  EXPECT_EQ(store.count("POST", "upload"), leftovers.size());

  EXPECT_EQ(run({go_integcov(), "true"}, {.env = env}).code, 0);
  EXPECT_EQ(store.count("POST", "upload"), leftovers.size()) << "uploaded a second time";

  // Elsewhere they haven't been.
  auto elsewhere = env;
  elsewhere["INTEGCOV_STORAGE"] = "gs://bucket/g";
  EXPECT_EQ(run({go_integcov(), "true"}, {.env = elsewhere}).code, 0);
  EXPECT_EQ(store.objects().size(), 2 * leftovers.size());
}

TEST(Files, ACarelessFolderGivesOnlyCoverage) {
  const TempDir dir;
  write_file(dir / "diary.txt", "private");
  write_file(dir / "sub/diary.txt", "private");
  for (const auto& [name, value] : std::map<std::string, fs::path>{
           {"HOME", dir.path()}, {"HOME2", dir / "home"}, {"CWD", dir.path()}}) {
    const bool by_cwd = name == "CWD";
    fs::create_directories(value);
    const TempDir storage;
    const auto ended = run({go_integcov(), program("hello")},
                           {.env = {{"INTEGCOV_STORAGE", "file://" + (storage / "s").string()},
                                    {"HOME", by_cwd ? "/root" : value.string()},
                                    {"GOCOVERDIR", dir.path().string()}},
                            .cwd = by_cwd ? dir.path() : storage.path()});
    EXPECT_EQ(ended.code, 0);
    const auto stored = read_tree(storage / "s");
    EXPECT_GE(stored.size(), 2U);
    EXPECT_EQ(coverage_files(stored), stored.size()) << testing::PrintToString(names(stored));
    const auto said = ended.err.find("only coverage files");
    EXPECT_NE(said, std::string::npos) << ended.err;
    EXPECT_EQ(ended.err.find("only coverage files", said + 1), std::string::npos) << ended.err;
  }
}

TEST(Files, ASecondSupervisorTouchesOnlyItsOwn) {
  const TempDir dir;
  const auto first_env = folder_env(dir);
  auto second_env = first_env;
  second_env["INTEGCOV_STORAGE"] = "file://" + (dir / "second").string();

  Process first({go_integcov(), program("sleeper")}, {.env = first_env});
  ASSERT_TRUE(eventually([&] { return coverage_files(read_tree(dir / "s")) == 1; }));
  write_file(dir / "cov/app.log", "of the first");
  run({program("hello")}, {.env = {{"GOCOVERDIR", (dir / "cov").string()}}});  // nobody's

  // Its children are reaped by their own parent: nobody else could tell whose they were.
  const auto second = run({go_integcov(), program("family"), "-n", "40"}, {.env = second_env});
  EXPECT_EQ(second.code, 0);
  EXPECT_NE(second.err.find("another go-integcov"), std::string::npos) << second.err;
  const auto stored = read_tree(dir / "second");
  EXPECT_EQ(stored.size(), 42U) << testing::PrintToString(names(stored));  // and their covmeta
  EXPECT_EQ(coverage_files(stored), 42U);
  EXPECT_NE(covdata("percent", dir / "second"), "");

  first.send(SIGTERM);
  first.wait();
  for (const auto& [name, content] : read_tree(dir / "s")) {
    EXPECT_TRUE(!stored.contains(name)) << "the first one touched " << name;
  }

  // The next one alone in the folder finds them like any other leftovers.
  run({go_integcov(), "true"}, {.env = second_env});
  const auto all = read_tree(dir / "cov");
  for (const auto& [name, content] : stored) EXPECT_TRUE(all.contains(name)) << name;
  EXPECT_EQ(fs::exists(dir / "cov/.integcov"), true);
  for (const auto& entry : fs::directory_iterator(dir / "cov/.integcov")) {
    EXPECT_FALSE(entry.is_directory()) << entry.path();
  }
}

TEST(Files, OneThatIsDeletedAgainIsNoFailure) {
  const TempDir dir;
  const ScriptedGcs store;
  const auto ended =
      run({go_integcov(), "--on-upload-error=fail", "sh", "-c",
           program("hello") + "; rm \"$GOCOVERDIR\"/covcounters*; exec " + program("hello")},
          {.env = {{"INTEGCOV_STORAGE", "gs://bucket/f"},
                   {"STORAGE_EMULATOR_HOST", store.url()},
                   {"GOCOVERDIR", (dir / "cov").string()}}});
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_EQ(ended.err.find("not uploaded"), std::string::npos) << ended.err;
}

TEST(Files, ALogThatGoesOnGrowingIsSentAsItIs) {
  for (const bool to_bucket : {false, true}) {
    const TempDir dir;
    const ScriptedGcs store;
    auto env = folder_env(dir);
    env["INTEGCOV_UPLOAD_TIMEOUT"] = "20s";
    if (to_bucket) env["INTEGCOV_STORAGE"] = "gs://bucket/f";
    env["STORAGE_EMULATOR_HOST"] = store.url();
    Process process(
        {go_integcov(), "sh", "-c",
         program("hello") +
             "; (while echo line; do :; done >\"$GOCOVERDIR\"/app.log 2>/dev/null & echo $! >" +
             (dir / "pid").string() + ") & while ! test -s " + (dir / "pid").string() +
             "; do :; done"},
        {.env = env});
    const auto ended = process.wait();
    kill(std::stoi(read_file(dir / "pid")), SIGKILL);
    EXPECT_EQ(ended.code, 0);
    EXPECT_EQ(ended.err.find("not uploaded"), std::string::npos) << ended.err;
    EXPECT_LT(ended.took, std::chrono::seconds(15));
  }
}

// Signals go on while many files are uploaded: some are answered before the last one is there.
TEST(Files, ManyOfThemDoNotDelayASignal) {
  constexpr std::size_t kFiles = 5000;
  constexpr std::size_t kSignals = 4;
  const TempDir dir;
  for (std::size_t i = 0; i < kFiles; ++i) {
    write_file(
        dir / ("cov/covcounters.00000000000000000000000000000000." + std::to_string(i) + ".1"),
        std::string(300, 'x'));
  }
  Process process({go_integcov(), program("sleeper"), "-print-signals", "-until", "SIGTERM"},
                  {.env = folder_env(dir)});
  ASSERT_TRUE(eventually([&] { return process.out().starts_with("ready"); }));
  const auto stored = [&] {
    std::error_code not_there_yet;
    const std::filesystem::directory_iterator files(dir / "s", not_there_yet);
    return static_cast<std::size_t>(std::distance(begin(files), end(files)));
  };
  std::size_t answered = 0;
  while (answered < kSignals && stored() < kFiles) {
    process.send(SIGUSR2);
    ++answered;
    EXPECT_TRUE(eventually([&] { return count_of(process.out(), "SIGUSR2\n") == answered; }));
  }
  EXPECT_EQ(answered, kSignals) << "they waited until all files were there";
  process.send(SIGTERM);
  EXPECT_EQ(process.wait().code, 0);
  EXPECT_EQ(read_tree(dir / "s").size(), kFiles + 2);
}

TEST(Files, TheFolderThatIsDeletedAndMadeAgain) {
  const TempDir dir;
  Process process({go_integcov(), "sh", "-c",
                   "rm -rf \"$GOCOVERDIR\"; mkdir \"$GOCOVERDIR\"; exec " + program("hello")},
                  {.env = folder_env(dir)});
  const auto ended = process.wait();
  EXPECT_EQ(ended.code, 0);
  EXPECT_EQ(coverage_files(read_tree(dir / "s")), 2U) << ended.err;
}

TEST(Files, TheFolderThatIsDeleted) {
  const TempDir dir;
  const auto ended =
      run({go_integcov(), "sh", "-c", "rm -rf \"$GOCOVERDIR\"; exit 4"}, {.env = folder_env(dir)});
  EXPECT_EQ(ended.code, 4);
}

}  // namespace
}  // namespace integcov::test
