#include "app/run_facts.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>

#include "unit/process/helper.h"

namespace integcov::app {
namespace {

constexpr WallTime kStarted{std::chrono::seconds(1'700'000'000)};
const std::map<std::string, std::string> kMetadata = {{"integcov-run", "0123"},
                                                      {"integcov-host", "web-1"}};

TEST(RunFacts, TheRunsNumberIsNoMetadataOfTheRecord) {
  const auto facts = run_facts(kMetadata, kStarted, "/app", 0);
  EXPECT_EQ(facts.run, "0123");
  EXPECT_EQ(facts.metadata, (std::map<std::string, std::string>{{"integcov-host", "web-1"}}));
  EXPECT_EQ(facts.version, INTEGCOV_VERSION);
  EXPECT_EQ(facts.started, kStarted);
  EXPECT_EQ(facts.program.path, "/app");
}

TEST(RunFacts, WhatAGoProgramSaysOfItsBuildIsTold) {
  std::string gofmt = INTEGCOV_GO;  // beside go; reads its stdin
  gofmt.replace(gofmt.rfind('/') + 1, std::string::npos, "gofmt");
  int executed[2];
  int in[2];
  ASSERT_EQ(pipe2(executed, O_CLOEXEC), 0);
  ASSERT_EQ(pipe2(in, O_CLOEXEC), 0);
  const pid_t go = fork();
  if (go == 0) {
    dup2(in[0], STDIN_FILENO);
    execl(gofmt.c_str(), gofmt.c_str(), nullptr);
    _exit(127);
  }
  close(executed[1]);
  char nothing = 0;
  EXPECT_EQ(read(executed[0], &nothing, 1), 0) << "the end comes with the exec";
  const auto facts = run_facts(kMetadata, kStarted, "gofmt", go);
  EXPECT_TRUE(facts.program.go_version.starts_with("go1.")) << facts.program.go_version;
  kill(go, SIGKILL);
  waitpid(go, nullptr, 0);
  for (const int fd : {executed[0], in[0], in[1]}) close(fd);
}

TEST(RunFacts, OfAnotherProgramOrOneThatIsGoneNothingIsTold) {
  process::Helper cat;
  cat.exec_cat();
  const pid_t pid = cat.pid();
  EXPECT_EQ(run_facts(kMetadata, kStarted, "cat", pid).program.go_version, "");
  cat.end();
  const auto facts = run_facts(kMetadata, kStarted, "cat", pid);
  EXPECT_EQ(facts.program.go_version, "");
  EXPECT_EQ(facts.program.path, "cat");
}

}  // namespace
}  // namespace integcov::app
