// The main job: what a Go program built with -cover leaves is in storage, byte for byte.
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>

#include "integration/parts.h"

namespace integcov::test {
namespace {

namespace fs = std::filesystem;

bool has_name(const std::map<std::string, std::string>& tree, const std::string& start) {
  const auto at = tree.lower_bound(start);
  return at != tree.end() && at->first.starts_with(start);
}

// Every mode, into a folder: the files, and what covdata says of them.
class InEachMode : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Modes, InEachMode, testing::Values("set", "count", "atomic"));

TEST_P(InEachMode, AProgramsCoverageIsInTheFolder) {
  const TempDir dir;
  const auto ended = run({go_integcov(), program("hello", GetParam()), "7", "Ada"},
                         {.env = {{"INTEGCOV_STORAGE", "file://" + (dir / "new/storage").string()},
                                  {"GOCOVERDIR", (dir / "cov").string()}}});
  EXPECT_EQ(ended.code, 7);
  EXPECT_TRUE(ended.out.starts_with("7\nAda\n")) << ended.out;

  const auto written = read_tree(dir / "cov");
  EXPECT_EQ(written.size(), 2U);
  EXPECT_EQ(read_tree(dir / "new/storage"), written);
  EXPECT_EQ(covdata("percent", dir / "new/storage"), covdata("percent", dir / "cov"));
  EXPECT_EQ(profile(dir / "new/storage"), profile(dir / "cov"));
  EXPECT_NE(covdata("percent", dir / "new/storage").find("coverage: "), std::string::npos);
}

TEST_P(InEachMode, AProgramsCoverageIsInTheBucket) {
  const TempDir dir;
  const FakeGcsServer store;
  const auto ended = run({go_integcov(), program("hello", GetParam()), "0"},
                         {.env = {{"INTEGCOV_STORAGE", "gs://bucket/folder"},
                                  {"STORAGE_EMULATOR_HOST", store.url()},
                                  {"GOCOVERDIR", (dir / "cov").string()}}});
  EXPECT_EQ(ended.code, 0) << ended.err;

  download(store.objects(), "folder/", dir / "download");
  const auto written = read_tree(dir / "cov");
  EXPECT_EQ(written.size(), 2U);
  EXPECT_EQ(read_tree(dir / "download"), written);
  EXPECT_EQ(covdata("percent", dir / "download"), covdata("percent", dir / "cov"));
  EXPECT_EQ(profile(dir / "download"), profile(dir / "cov"));
}

// The drop-in: nothing but the storage is set.
TEST(MainJob, TheBucketAloneIsEnough) {
  const TempDir dir;
  const FakeGcsServer store;
  const auto ended = run({go_integcov(), program("hello")},
                         {.env = {{"INTEGCOV_STORAGE", "gs://bucket"},
                                  {"STORAGE_EMULATOR_HOST", store.url().substr(7)},  // no scheme
                                  {"GOCOVERDIR", (dir / "cov").string()}}});
  EXPECT_EQ(ended.code, 0);
  EXPECT_EQ(store.objects(), read_tree(dir / "cov"));
}

TEST(MainJob, ThePrefixIsLiteral) {
  const TempDir dir;
  const ScriptedGcs store;
  const std::string prefix = "a+b #1/50%25 ü?x=y&z";
  const auto ended = run({go_integcov(), program("hello")},
                         {.env = {{"INTEGCOV_STORAGE", "gs://bucket/" + prefix + "/"},
                                  {"STORAGE_EMULATOR_HOST", store.url()},
                                  {"GOCOVERDIR", (dir / "cov").string()}}});
  EXPECT_EQ(ended.code, 0) << ended.err;
  download(store.objects(), prefix + "/", dir / "download");
  EXPECT_EQ(read_tree(dir / "download"), read_tree(dir / "cov"));
  EXPECT_EQ(read_tree(dir / "download").size(), 2U);
}

TEST(MainJob, CovmetaIsInStorageWhileTheProgramRuns) {
  const TempDir dir;
  const FakeGcsServer store;
  Process process({go_integcov(), program("server")},
                  {.env = {{"INTEGCOV_STORAGE", "gs://bucket/f"},
                           {"STORAGE_EMULATOR_HOST", store.url()},
                           {"GOCOVERDIR", (dir / "cov").string()}}});
  EXPECT_TRUE(eventually([&] { return has_name(store.objects(), "f/covmeta."); }));
  EXPECT_FALSE(has_name(store.objects(), "f/covcounters."));
  EXPECT_TRUE(process.running());
  process.send(SIGTERM);
  const auto ended = process.wait();
  EXPECT_EQ(ended.code, 0);
  EXPECT_NE(ended.out.find("bye"), std::string::npos);
  EXPECT_TRUE(has_name(store.objects(), "f/covcounters."));
}

TEST(MainJob, WithoutStorageTheFilesStayAndOneLineSaysWhere) {
  const TempDir dir;
  const auto ended =
      run({go_integcov(), program("hello")}, {.env = {{"GOCOVERDIR", (dir / "cov").string()}}});
  EXPECT_EQ(ended.code, 0);
  EXPECT_EQ(read_tree(dir / "cov").size(), 2U);
  EXPECT_NE(ended.err.find((dir / "cov").string()), std::string::npos) << ended.err;
  EXPECT_NE(ended.err.find("INTEGCOV_STORAGE"), std::string::npos) << ended.err;
  EXPECT_EQ(std::ranges::count(ended.err, '\n'), 1) << ended.err;
}

TEST(MainJob, ManyPackagesAndManyProcesses) {
  const TempDir dir;
  const FakeGcsServer store;
  const std::map<std::string, std::string> env{{"INTEGCOV_STORAGE", "gs://bucket/f"},
                                               {"STORAGE_EMULATOR_HOST", store.url()},
                                               {"GOCOVERDIR", (dir / "cov").string()}};
  EXPECT_EQ(run({go_integcov(), program("many")}, {.env = env}).code, 0);
  EXPECT_EQ(run({go_integcov(), program("family"), "-n", "5"}, {.env = env}).code, 0);
  download(store.objects(), "f/", dir / "download");
  const auto written = read_tree(dir / "cov");
  EXPECT_EQ(written.size(), 9U);  // two covmetas, seven processes
  EXPECT_EQ(read_tree(dir / "download"), written);
  EXPECT_EQ(covdata("percent", dir / "download"), covdata("percent", dir / "cov"));
}

TEST(MainJob, AnOrphanThatWritesAfterTheMainProcessIsWaitedFor) {
  const TempDir dir;
  const auto storage = dir / "storage";
  const auto ended = run({go_integcov(), program("family"), "-n", "1", "-orphan", "50ms"},
                         {.env = {{"INTEGCOV_STORAGE", "file://" + storage.string()},
                                  {"GOCOVERDIR", (dir / "cov").string()}}});
  EXPECT_EQ(ended.code, 0);
  EXPECT_EQ(read_tree(storage).size(), 4U);  // covmeta; the program, its child, its orphan
  EXPECT_EQ(read_tree(storage), read_tree(dir / "cov"));
}

TEST(MainJob, APanicLeavesOnlyCovmetaAndKeepsItsStatus) {
  const TempDir dir;
  const auto ended = run({go_integcov(), program("panics")},
                         {.env = {{"INTEGCOV_STORAGE", "file://" + (dir / "s").string()},
                                  {"GOCOVERDIR", (dir / "cov").string()}}});
  EXPECT_EQ(ended.code, 2);
  EXPECT_EQ(read_tree(dir / "s").size(), 1U);
}

TEST(MainJob, AFolderIsReplacedFileByFileAtomically) {
  const TempDir dir;
  write_file(dir / "s/app.log", "old");
  write_file(dir / "cov/app.log", "new");
  const auto ended = run({go_integcov(), program("hello")},
                         {.env = {{"INTEGCOV_STORAGE", "file://" + (dir / "s").string()},
                                  {"GOCOVERDIR", (dir / "cov").string()}}});
  EXPECT_EQ(ended.code, 0);
  EXPECT_EQ(read_tree(dir / "s"), read_tree(dir / "cov"));
  EXPECT_EQ(read_tree(dir / "s").size(), 3U);  // no temporary file is left
}

}  // namespace
}  // namespace integcov::test
