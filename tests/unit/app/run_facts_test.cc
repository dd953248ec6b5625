#include "app/run_facts.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <chrono>

#include "process/process_memory.h"

namespace integcov::app {
namespace {

constexpr WallTime kStarted{std::chrono::seconds(1'700'000'000)};
const std::map<std::string, std::string> kMetadata = {{"integcov-run", "0123"},
                                                      {"integcov-host", "web-1"}};

TEST(RunFacts, TheRunsNumberIsNoMetadataOfTheRecord) {
  const auto facts = run_facts(kMetadata, kStarted, "/app", nullptr);
  EXPECT_EQ(facts.run, "0123");
  EXPECT_EQ(facts.metadata, (std::map<std::string, std::string>{{"integcov-host", "web-1"}}));
  EXPECT_EQ(facts.version, INTEGCOV_VERSION);
  EXPECT_EQ(facts.started, kStarted);
  EXPECT_EQ(facts.program.path, "/app");
}

supervise::RunFacts of_file(const std::string& path) {
  process::FileBytes file(UniqueFd(open(path.c_str(), O_RDONLY | O_CLOEXEC)));
  return run_facts(kMetadata, kStarted, "app", &file);
}

TEST(RunFacts, WhatAGoProgramSaysOfItsBuildIsTold) {
  const auto facts = of_file(INTEGCOV_GO);
  EXPECT_TRUE(facts.program.go_version.starts_with("go1.")) << facts.program.go_version;
  EXPECT_EQ(facts.program.path, "app");
}

TEST(RunFacts, OfAnotherProgramNothingIsTold) {
  EXPECT_EQ(of_file("/proc/self/exe").program.go_version, "");
  EXPECT_EQ(of_file("/nonexistent").program.go_version, "");
}

}  // namespace
}  // namespace integcov::app
