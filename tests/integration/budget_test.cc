// The budget: we never end before the app and never kill it; our own work ends in time, and what is
// left is named. Times are lower and upper bounds around what the settings say.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>

#include <csignal>

#include "integration/parts.h"

namespace integcov::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Every upload of counters hangs for ever; covmeta goes up.
constexpr const char* kStuckCounters =
    R"([{"match":"POST /upload","contains":"covcounters","times":-1,"do":"stall"}])";

struct Stuck {
  TempDir dir;
  ScriptedGcs store;
  Stuck() { store.script(kStuckCounters); }

  Options options(std::map<std::string, std::string> env) {
    env["INTEGCOV_STORAGE"] = "gs://bucket/f";
    env["STORAGE_EMULATOR_HOST"] = store.url();
    env["GOCOVERDIR"] = (dir / "cov").string();
    env["INTEGCOV_LOG_LEVEL"] = "debug";
    return {.env = env};
  }

  // hello has ended and been reaped, its covmeta is there and its counters are on their way.
  void await_draining(const Process& process) const {
    store.await("POST /upload/storage/v1/b/bucket/o?uploadType=multipart&name=f%2Fcovcounters", 1);
    const std::string us = "/proc/" + std::to_string(process.pid());
    const std::string children = us + "/task/" + std::to_string(process.pid()) + "/children";
    EXPECT_TRUE(eventually([&] { return read_file(children).empty(); }));
    EXPECT_TRUE(eventually([&] {
      return process.err().find("uploaded covmeta.") != std::string::npos;
    })) << process.err();
  }
};

// Whether it has none that it hasn't read: standard signals coalesce while they are pending.
bool took_its_signals(Process& process) {
  const std::string status = read_file("/proc/" + std::to_string(process.pid()) + "/status");
  return !process.running() || status.find("ShdPnd:\t0000000000000000\n") != std::string::npos;
}

milliseconds since(steady_clock::time_point start) {
  return std::chrono::duration_cast<milliseconds>(steady_clock::now() - start);
}

void expect_named(const Ended& ended, const Stuck& stuck) {
  EXPECT_NE(ended.err.find("1 of 2 files was not uploaded to gs://bucket/f"), std::string::npos)
      << ended.err;
  EXPECT_NE(ended.err.find("it stays in " + (stuck.dir / "cov").string() + ": covcounters."),
            std::string::npos)
      << ended.err;
}

TEST(BudgetOfARun, TheUploadTimeoutWhenTheAppEndsByItself) {
  Stuck stuck;
  const auto ended = run({go_integcov(), program("hello"), "5"},
                         stuck.options({{"INTEGCOV_UPLOAD_TIMEOUT", "2s"}}));
  EXPECT_EQ(ended.code, 5);
  EXPECT_GE(ended.took, milliseconds(2000));
  EXPECT_LT(ended.took, milliseconds(20'000));
  expect_named(ended, stuck);
}

TEST(BudgetOfARun, TheGraceAfterAStopSignal) {
  milliseconds quickest = milliseconds::max();
  // A busy machine is quick once.
  for (int i = 0; i < 5 && quickest >= milliseconds(2500); ++i) {
    Stuck stuck;
    Process process({go_integcov(), program("server")},
                    stuck.options({{"INTEGCOV_GRACE", "2500ms"}}));
    ASSERT_TRUE(eventually([&] { return process.out().starts_with("listening"); }));
    const auto stopped = steady_clock::now();
    process.send(SIGTERM);
    const auto ended = process.wait();
    EXPECT_EQ(ended.code, 0);
    EXPECT_GE(since(stopped), milliseconds(1900));
    quickest = std::min(quickest, since(stopped));
    expect_named(ended, stuck);
  }
  EXPECT_LT(quickest, milliseconds(2500)) << "the platform would kill us";
}

TEST(BudgetOfARun, AnAppThatOutlivesTheGraceIsWaitedForAndGivenAnother) {
  Stuck stuck;
  Process process({go_integcov(), program("stubborn"), "-for", "3s"},
                  stuck.options({{"INTEGCOV_GRACE", "1500ms"}}));
  ASSERT_TRUE(eventually([&] { return process.out().starts_with("ready"); }));
  process.send(SIGTERM);
  const auto ended = process.wait();
  EXPECT_EQ(ended.code, 0);
  EXPECT_NE(ended.out.find("done"), std::string::npos);
  EXPECT_GE(ended.took, milliseconds(4400));
  EXPECT_LT(ended.took, milliseconds(20'000));
  expect_named(ended, stuck);
}

TEST(BudgetOfARun, AStopSignalDuringUploadsLowersTheDeadline) {
  Stuck stuck;
  Process process({go_integcov(), program("hello"), "5"},
                  stuck.options({{"INTEGCOV_GRACE", "1s"}, {"INTEGCOV_UPLOAD_TIMEOUT", "50s"}}));
  stuck.await_draining(process);
  const auto stopped = steady_clock::now();
  process.send(SIGTERM);
  const auto ended = process.wait();
  EXPECT_EQ(ended.code, 5);
  EXPECT_LT(since(stopped), milliseconds(20'000));
  expect_named(ended, stuck);
}

TEST(BudgetOfARun, AThirdStopSignalEndsAtOnce) {
  Stuck stuck;
  Process process({go_integcov(), program("hello"), "5"},
                  stuck.options({{"INTEGCOV_GRACE", "50s"}, {"INTEGCOV_UPLOAD_TIMEOUT", "50s"}}));
  stuck.await_draining(process);
  const auto stopped = steady_clock::now();
  for (const int signal : {SIGTERM, SIGINT, SIGTERM}) {
    EXPECT_TRUE(process.running());
    process.send(signal);
    EXPECT_TRUE(eventually([&] { return took_its_signals(process); }));
  }
  const auto ended = process.wait();
  EXPECT_EQ(ended.code, 5);
  EXPECT_LT(since(stopped), milliseconds(20'000));
  expect_named(ended, stuck);
}

TEST(BudgetOfARun, AnOutageThatHealsIsRecoveredFrom) {
  const TempDir dir;
  const ScriptedGcs store;
  store.script(R"([{"match":"POST /upload","times":8,"do":"reset-before-body"}])");
  const auto ended =
      run({go_integcov(), program("hello")}, {.env = {{"INTEGCOV_STORAGE", "gs://bucket/f"},
                                                      {"STORAGE_EMULATOR_HOST", store.url()},
                                                      {"GOCOVERDIR", (dir / "cov").string()}}});
  EXPECT_EQ(store.objects().size(), 2U) << ended.err;
}

TEST(BudgetOfARun, WhatWasLeftGoesUpWithTheNextRun) {
  Stuck stuck;
  run({go_integcov(), program("hello")}, stuck.options({{"INTEGCOV_UPLOAD_TIMEOUT", "3s"}}));
  EXPECT_EQ(stuck.store.objects().size(), 1U);
  http("DELETE", stuck.store.url() + "/_control/rules");
  run({go_integcov(), "true"}, stuck.options({}));
  EXPECT_EQ(stuck.store.objects().size(), 2U);
}

}  // namespace
}  // namespace integcov::test
