// Hardly any file descriptors: what can't be done isn't done, but the program runs, gets its
// signals and keeps its status.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>

#include "integration/parts.h"

namespace integcov::test {
namespace {

std::function<void()> with_fds(rlim_t count) {
  return [count] {
    const rlimit limit{.rlim_cur = count, .rlim_max = count};
    setrlimit(RLIMIT_NOFILE, &limit);
  };
}

class Scarce : public testing::TestWithParam<int> {
 protected:
  [[nodiscard]] Options options(const std::string& storage) const {
    return {.env = {{"GOCOVERDIR", (dir_ / "cov").string()},
                    {"INTEGCOV_STORAGE", storage},
                    {"INTEGCOV_UPLOAD_TIMEOUT", "1s"},
                    {"STORAGE_EMULATOR_HOST", "127.0.0.1:1"}},
            .before_exec = with_fds(static_cast<rlim_t>(GetParam()))};
  }

  TempDir dir_;
};
// From what the start of a program takes: 0 to 2 and a pipe.
INSTANTIATE_TEST_SUITE_P(Fds, Scarce,
                         testing::Values(5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16, 18, 20, 24),
                         [](const auto& p) { return std::to_string(p.param); });

TEST_P(Scarce, TheStatusIsKept) {
  const std::vector<std::string> script{go_integcov(), "/bin/sh", "-c", "exit 42"};
  for (const std::string& storage :
       {"file://" + (dir_ / "out").string(), std::string("gs://bucket/f")}) {
    const auto ended = run(script, options(storage));
    EXPECT_EQ(ended.code, 42) << storage << '\n' << ended.err;
  }
}

TEST_P(Scarce, SignalsAreForwarded) {
  for (const std::string& storage :
       {"file://" + (dir_ / "out").string(), std::string("gs://bucket/f")}) {
    Process process({go_integcov(), "/bin/sh", "-c",
                     "trap 'exit 7' TERM; echo ready; while :; do sleep 0.01; done"},
                    options(storage));
    ASSERT_TRUE(eventually([&] { return process.out() == "ready\n" || !process.running(); }))
        << process.err();
    process.send(SIGTERM);
    const auto ended = process.wait();
    EXPECT_EQ(ended.code, 7) << storage << '\n' << ended.err;
  }
}

TEST_P(Scarce, WhatIsNotUploadedIsToldAndStays) {
  const auto ended =
      run({go_integcov(), program("hello"), "3"}, options("file://" + (dir_ / "out").string()));
  std::filesystem::create_directory(dir_ / "alone");
  // Go's runtime needs fds of its own: with very few it dies, and without us just the same.
  const auto alone =
      run({program("hello"), "3"}, {.env = {{"GOCOVERDIR", (dir_ / "alone").string()}},
                                    .before_exec = with_fds(static_cast<rlim_t>(GetParam()))});
  EXPECT_EQ(ended.code, alone.code) << ended.err;
  const auto written = read_tree(dir_ / "cov");
  const bool all_there = read_tree(dir_ / "out") == written;
  EXPECT_TRUE(all_there || ended.err.find("warning") != std::string::npos) << ended.err;
}

TEST(ScarceFds, WithoutAnyTheProgramRunsAllTheSame) {
  const TempDir dir;
  const auto ended =
      run({go_integcov(), "/bin/sh", "-c", "exit 42"},
          {.env = {{"GOCOVERDIR", (dir / "cov").string()}}, .before_exec = with_fds(4)});
  EXPECT_EQ(ended.code, 42);
  EXPECT_NE(ended.err.find("too few file descriptors are left"), std::string::npos) << ended.err;
}

TEST(ScarceFds, TwentyFdsAreEnoughToUpload) {
  const TempDir dir;
  const auto ended = run({go_integcov(), program("hello")},
                         {.env = {{"GOCOVERDIR", (dir / "cov").string()},
                                  {"INTEGCOV_STORAGE", "file://" + (dir / "out").string()}},
                          .before_exec = with_fds(20)});
  EXPECT_EQ(ended.code, 0) << ended.err;
  const auto written = read_tree(dir / "cov");
  EXPECT_EQ(written.size(), 2U) << ended.err;
  EXPECT_EQ(read_tree(dir / "out"), written);
}

}  // namespace
}  // namespace integcov::test
