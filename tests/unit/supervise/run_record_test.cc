#include "supervise/run_record.h"

#include <gtest/gtest.h>

#include "unit/base/json_check.h"

namespace integcov::supervise {
namespace {

using integcov::testing::JsonCheck;
using std::chrono::seconds;

const std::string kRun = "00112233445566778899aabbccddeeff";

RunFacts facts() {
  return {.run = kRun,
          .version = "1.2.3",
          .metadata = {{"integcov-host", "web-1"}, {"integcov-k-revision", "blue"}},
          .started = WallTime(seconds(1'700'000'000)),
          .program = {.path = "/app",
                      .go_version = "go1.26.8",
                      .module = "example.com/app",
                      .module_version = "v1.0.0",
                      .revision = "abc",
                      .modified = "true"}};
}

EndOfRun end() {
  return {.status = ExitStatus::exited(3),
          .flush = "memory",
          .processes = {{7, "aa", {"covcounters.aa.7.1"}}, {8, "bb", {"x", "y"}}},
          .complete = true};
}

std::string ended(const RunFacts& facts, const EndOfRun& end) {
  return end_record(facts, end, WallTime(seconds(1'700'000'060)));
}

// One JSON value and a newline.
void expect_a_line_of_json(const std::string& text) {
  ASSERT_TRUE(text.ends_with('\n'));
  const std::string_view value = std::string_view(text).substr(0, text.size() - 1);
  EXPECT_EQ(value.find('\n'), std::string_view::npos);
  EXPECT_TRUE(JsonCheck::valid(value)) << text;
}

TEST(RunRecord, TheFilesAreNamedAfterTheRun) {
  EXPECT_EQ(start_record_name(kRun), "integcov." + kRun + ".start.json");
  EXPECT_EQ(end_record_name(kRun), "integcov." + kRun + ".end.json");
}

TEST(RunRecord, TheStartSaysWhatRunsAndWhere) {
  EXPECT_EQ(start_record(facts()),
            R"({"format":1,"run":")" + kRun +
                R"(","state":"running","started":"2023-11-14T22:13:20.000000000Z",)"
                R"("go_integcov":"1.2.3",)"
                R"("metadata":{"integcov-host":"web-1","integcov-k-revision":"blue"},)"
                R"("program":{"path":"/app","go_version":"go1.26.8","module":"example.com/app",)"
                R"("module_version":"v1.0.0","vcs_revision":"abc","vcs_modified":"true"}})"
                "\n");
  expect_a_line_of_json(start_record(facts()));
}

TEST(RunRecord, TheEndAddsHowItEndedAndEachProcessesObjects) {
  const std::string start = start_record(facts());
  std::string common = start.substr(0, start.size() - 2);  // without "}\n"
  common.replace(common.find("running"), 7, "ended");
  EXPECT_EQ(
      ended(facts(), end()),
      common +
          R"(,"ended":"2023-11-14T22:14:20.000000000Z","exit_status":{"code":3},"flush":"memory",)"
          R"("processes":[{"pid":7,"covmeta":"covmeta.aa","objects":["covcounters.aa.7.1"]},)"
          R"({"pid":8,"covmeta":"covmeta.bb","objects":["x","y"]}],"complete":true})"
          "\n");
  expect_a_line_of_json(ended(facts(), end()));
}

TEST(RunRecord, ASignalIsToldAsSuch) {
  EndOfRun killed = end();
  killed.status = ExitStatus::killed_by(9);
  EXPECT_NE(ended(facts(), killed).find(R"("exit_status":{"signal":9})"), std::string::npos);
}

TEST(RunRecord, ThatProcessesAreMissingIsSaid) {
  EndOfRun many = end();
  many.processes.clear();
  many.complete = false;
  const std::string record = ended(facts(), many);
  EXPECT_NE(record.find(R"("processes":[],"complete":false)"), std::string::npos);
  expect_a_line_of_json(record);
}

TEST(RunRecord, WhatIsNotKnownIsLeftOut) {
  const RunFacts little{.run = kRun, .version = "1", .program = {.path = "/app"}};
  const std::string record = start_record(little);
  EXPECT_NE(record.find(R"("metadata":{},"program":{"path":"/app"}})"), std::string::npos);
  expect_a_line_of_json(record);
}

TEST(RunRecord, WhateverBytesAreInItItIsJson) {
  std::string bytes;
  for (int byte = 0; byte < 256; ++byte) bytes += static_cast<char>(byte);
  RunFacts odd = facts();
  odd.metadata[bytes] = bytes;
  odd.program = {bytes, bytes, bytes, bytes, bytes, bytes};
  EndOfRun end_of_odd = end();
  end_of_odd.flush = bytes;
  end_of_odd.processes = {{4294967295U, bytes, {bytes, bytes}}};
  expect_a_line_of_json(start_record(odd));
  expect_a_line_of_json(ended(odd, end_of_odd));
}

}  // namespace
}  // namespace integcov::supervise
