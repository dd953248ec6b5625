#include "app/run_facts.h"

#include <gtest/gtest.h>
#include <sys/ptrace.h>
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
  const pid_t go = fork();
  if (go == 0) {
    ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    execl(INTEGCOV_GO, INTEGCOV_GO, "version", nullptr);
    _exit(127);
  }
  int status = 0;
  waitpid(go, &status, 0);
  ASSERT_TRUE(WIFSTOPPED(status)) << "just executed";
  const auto facts = run_facts(kMetadata, kStarted, "go", go);
  EXPECT_TRUE(facts.program.go_version.starts_with("go1.")) << facts.program.go_version;
  EXPECT_EQ(facts.program.cover_mode, "");
  kill(go, SIGKILL);
  waitpid(go, nullptr, 0);
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
