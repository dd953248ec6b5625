#include "app/identity.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace integcov::app {
namespace {

config::Environment environment(const std::vector<const char*>& entries) {
  std::vector<const char*> envp = entries;
  envp.push_back(nullptr);
  return config::Environment(envp.data());
}

TEST(RandomBytes, AreAsManyAsAskedForAndNeverTheSame) {
  EXPECT_EQ(random_bytes(0), "");
  for (const std::size_t count : {1U, 16U, 1000U}) EXPECT_EQ(random_bytes(count).size(), count);
  EXPECT_NE(random_bytes(16), random_bytes(16));
  EXPECT_NE(random_seed(), random_seed());
}

TEST(RunMetadata, EachRunHasANumberOfItsOwn) {
  const auto first = run_metadata(environment({}));
  const auto second = run_metadata(environment({}));
  const std::string& run = first.at("integcov-run");
  EXPECT_EQ(run.size(), 32U);
  EXPECT_EQ(run.find_first_not_of("0123456789abcdef"), std::string::npos);
  EXPECT_NE(run, second.at("integcov-run"));
}

TEST(RunMetadata, TheInstanceIsThePodOrTheHost) {
  const auto instance = [](const std::vector<const char*>& entries) {
    return run_metadata(environment(entries)).at("integcov-instance");
  };
  EXPECT_EQ(instance({"POD_NAME=pod", "HOSTNAME=host"}), "pod");
  EXPECT_EQ(instance({"HOSTNAME=host"}), "host");
  EXPECT_EQ(instance({"POD_NAME=", "HOSTNAME=host"}), "host");
  std::array<char, 256> name{};
  ASSERT_EQ(gethostname(name.data(), name.size() - 1), 0);
  EXPECT_EQ(instance({}), name.data());
}

TEST(RunMetadata, TellsWhatThePlatformTells) {
  const auto metadata = run_metadata(
      environment({"K_SERVICE=s", "K_REVISION=r", "K_CONFIGURATION=c", "CLOUD_RUN_JOB=j",
                   "CLOUD_RUN_EXECUTION=e", "CLOUD_RUN_TASK_INDEX=0", "CLOUD_RUN_TASK_ATTEMPT=1",
                   "CLOUD_RUN_TASK_COUNT=2", "POD_NAME=p", "POD_NAMESPACE=n", "POD_UID=u",
                   "NODE_NAME=nn", "SECRET=x", "K_OTHER=x"}));
  std::map<std::string, std::string> expected{{"k-service", "s"},
                                              {"k-revision", "r"},
                                              {"k-configuration", "c"},
                                              {"cloud-run-job", "j"},
                                              {"cloud-run-execution", "e"},
                                              {"cloud-run-task-index", "0"},
                                              {"cloud-run-task-attempt", "1"},
                                              {"cloud-run-task-count", "2"},
                                              {"pod-name", "p"},
                                              {"pod-namespace", "n"},
                                              {"pod-uid", "u"},
                                              {"node-name", "nn"},
                                              {"integcov-instance", "p"},
                                              {"integcov-run", metadata.at("integcov-run")}};
  EXPECT_EQ(metadata, expected);
}

TEST(RunMetadata, ValuesAreShortAndPrintable) {
  const std::string entry = "K_SERVICE=\n" + std::string(300, 'x');
  const std::string value = run_metadata(environment({entry.c_str()})).at("k-service");
  EXPECT_EQ(value, "\\x0a" + std::string(255, 'x'));
}

TEST(PlatformLogsJson, OnCloudRunAndKubernetes) {
  for (const char* entry : {"K_SERVICE=s", "CLOUD_RUN_JOB=j", "KUBERNETES_SERVICE_HOST=10.0.0.1"}) {
    EXPECT_TRUE(platform_logs_json(environment({entry}))) << entry;
  }
  EXPECT_FALSE(platform_logs_json(environment({"HOME=/", "K_SERVICE="})));
}

}  // namespace
}  // namespace integcov::app
