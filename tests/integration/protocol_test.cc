// What a server may say in the middle of an upload, what fleets do to one name, and bytes that
// arrive wrong.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>

#include "integration/scenario.h"

namespace integcov::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct Fault {
  const char* name;
  const char* rules;
  std::size_t least_queries;  // of the session's status
};
void PrintTo(const Fault& fault, std::ostream* out) { *out << fault.name; }

class Sessions : public testing::TestWithParam<Fault> {};
INSTANTIATE_TEST_SUITE_P(
    Answers, Sessions,
    testing::Values(
        Fault{"fewer_bytes",
              R"([{"match":"PUT /upload","times":3,"do":"persist-only","bytes":1048576}])", 0},
        Fault{"incomplete_without_range",
              R"([{"match":"PUT /upload","times":2,"do":"status","status":308}])", 0},
        Fault{
            "incomplete_with_a_gap",
            R"([{"match":"PUT /upload","do":"status","status":308,"headers":{"Range":"bytes=5-1048575"}}])",
            0},
        Fault{
            "more_than_was_sent",
            R"([{"match":"PUT /upload","do":"status","status":308,"headers":{"Range":"bytes=0-99999999"}}])",
            0},
        Fault{"lost_404", R"([{"match":"PUT /upload","do":"drop-session"}])", 0},
        Fault{"lost_410", R"([{"match":"PUT /upload","do":"drop-session","status":410}])", 0},
        Fault{"lost_midway",
              R"([{"match":"PUT /upload","do":"reset-after-bytes","bytes":3000000},)"
              R"({"match":"PUT /upload","do":"drop-session","status":410}])",
              0},
        Fault{"busy", R"([{"match":"PUT /upload","times":2,"do":"status","status":503}])", 1},
        Fault{"timeout_of_a_front_end",
              R"([{"match":"PUT /upload","do":"status","status":408,"text":"<html>"}])", 1},
        Fault{"broken", R"([{"match":"PUT /upload","do":"reset-after-bytes","bytes":3000000}])", 1},
        Fault{"lost_commit", R"([{"match":"PUT /upload","do":"commit-then-status"}])", 1},
        Fault{"lost_commit_and_then_the_session",
              R"([{"match":"PUT /upload","do":"commit-then-status"},)"
              R"({"match":"PUT /upload","do":"drop-session","status":410}])",
              0},
        Fault{
            "ping_pong",
            R"([{"match":"PUT /upload","range":"bytes 0-","times":6,"do":"status","status":503}])",
            3}),
    [](const auto& c) { return std::string(c.param.name); });

TEST_P(Sessions, GoOn) {
  const Scenario s;
  s.store().script(GetParam().rules);
  const auto ended = s.run({program("big"), "-mib", "12"});
  s.expect_all_stored(ended);
  EXPECT_LT(ended.took, seconds(12));
  EXPECT_GT(s.store().count("PUT", "upload_id="), GetParam().least_queries);
}

TEST(SessionProgress, KeepsTheWaitsShort) {
  const Scenario s;
  s.store().script(R"([{"match":"PUT /upload","range":"bytes 0-","do":"reset-after-bytes",)"
                   R"("bytes":300000},{"match":"PUT /upload","range":"bytes */","skip":20,)"
                   R"("do":"latency"},{"match":"PUT /upload","range":"bytes */","times":-1,)"
                   R"("do":"latency"},{"match":"PUT /upload","times":16,)"
                   R"("do":"reset-after-bytes","bytes":300000}])");
  const auto ended = s.run({program("big"), "-mib", "12"});
  s.expect_all_stored(ended);
  EXPECT_LT(ended.took, seconds(8)) << "seventeen growing waits would take longer";
}

TEST(RetryAfter, IsWaitedFor) {
  const Scenario s;
  s.store().script(R"([{"match":"POST /upload","contains":"name=f/cov","times":2,"do":"status",)"
                   R"("status":503,"retryAfter":1}])");
  s.expect_all_stored(s.run({program("hello")}));
  std::map<std::string, std::int64_t> refused;
  for (const auto& call : s.store().calls()) {
    if (call.status == 503) refused[call.query] = call.ms;
    if (call.status == 200 && refused.contains(call.query)) {
      EXPECT_GE(call.ms - refused[call.query], 990);
    }
  }
  EXPECT_EQ(refused.size(), 2U);
}

TEST(RetryAfter, BeyondTheEndLeavesOneLastChance) {
  const Scenario s;
  s.store().script(
      R"([{"match":"POST /upload","times":2,"do":"status","status":429,"retryAfter":3600}])");
  const auto ended = s.run({program("hello")}, {{"INTEGCOV_UPLOAD_TIMEOUT", "4s"}});
  s.expect_all_stored(ended);
  EXPECT_GE(ended.took, milliseconds(1900)) << "not before the last two seconds";
  EXPECT_LT(ended.took, seconds(4));
}

// --- integrity ----------------------------------------------------------------------------------

class Corruption : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Kinds, Corruption,
                         testing::Values("corrupt", "corrupt-stored", "wrong-crc32c"),
                         [](const auto& c) {
                           std::string name = c.param;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

TEST_P(Corruption, IsFoundAndRepaired) {
  for (const char* mib : {"1", "12"}) {
    const Scenario s;
    s.store().script(R"([{"match":"* /upload","contains":"blob.bin&","skip":)" +
                     std::string(mib == std::string("12") ? "1" : "0") + R"(,"do":")" + GetParam() +
                     "\"}]");
    s.expect_all_stored(s.run({program("big"), "-mib", mib}));
    EXPECT_EQ(s.stored().at("blob.bin").size(), std::stoul(mib) << 20);
  }
}

TEST(ChangingFile, WhatChangesWhileItIsSentIsSentAnew) {
  const Scenario s;
  const std::string name = "covcounters.00000000000000000000000000000000.7.100";
  write_file(s.coverdir() / name, std::string(1000, 'a'));
  s.store().script(R"([{"match":"POST /upload","contains":"name=f/)" + name +
                   R"(","do":"latency","latencyMs":2000}])");
  Process process(Scenario::command({program("hello")}), {.env = s.env()});
  s.store().await("POST /upload/storage/v1/b/bucket/o?uploadType=multipart&name=f%2F" + name, 1);
  write_file(s.coverdir() / name, std::string(1500, 'b'));
  s.expect_all_stored(process.wait());
  EXPECT_EQ(s.stored().at(name), std::string(1500, 'b'));
}

// --- fleets -------------------------------------------------------------------------------------

std::vector<Ended> run_fleet(const Scenario& s, int size, const std::vector<std::string>& words) {
  std::vector<std::unique_ptr<Process>> fleet;
  for (int i = 0; i < size; ++i) {
    fleet.push_back(std::make_unique<Process>(Scenario::command(words),
                                              Options{.env = s.env("cov" + std::to_string(i))}));
  }
  std::vector<Ended> ended;
  for (const auto& process : fleet) ended.push_back(process->wait());
  return ended;
}

TEST(Fleet, TwentyReplicasStoreOneCovmetaAndAllCounters) {
  const Scenario s(Wire::plain, {"-name-interval", "1s"});
  for (const auto& ended : run_fleet(s, 20, {program("hello")})) {
    EXPECT_EQ(ended.code, 0);
    EXPECT_NE(ended.err.find("uploaded 2 files"), std::string::npos) << ended.err;
    EXPECT_EQ(lines_of(ended.err), 1U) << ended.err;
  }
  std::map<std::string, std::string> all;
  for (int i = 0; i < 20; ++i) all.merge(read_tree(s.coverdir("cov" + std::to_string(i))));
  EXPECT_EQ(all.size(), 21U);
  Scenario::expect_equal(s.stored(), all);
}

TEST(Fleet, ALargeCovmetaIsSentWithoutARaceOfSessionsAndThenNeverAgain) {
  const Scenario s;
  const std::vector<std::string> words{program("big"), "-mib", "9", "-name", kSomeCovmeta};
  for (const auto& ended : run_fleet(s, 6, words)) {
    EXPECT_NE(ended.err.find("uploaded 3 files"), std::string::npos) << ended.err;
  }
  EXPECT_EQ(s.store().count("POST", "uploadType=resumable"), 0U);
  EXPECT_TRUE(s.stored().at(kSomeCovmeta) == read_file(s.coverdir("cov0") / kSomeCovmeta));

  const std::size_t before = s.store().count("POST", kSomeCovmeta);
  EXPECT_NE(s.run(words).err.find("uploaded 3 files"), std::string::npos);
  EXPECT_EQ(s.store().count("POST", kSomeCovmeta), before);
}

class Creator : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Sizes, Creator, testing::Values("1", "9"),
                         [](const auto& c) { return "mib" + std::string(c.param); });

TEST_P(Creator, ARoleThatMayOnlyCreateIsEnough) {
  const Scenario s(Wire::tls, {"-rights", "create"});
  s.store().script(R"([{"match":"POST /upload","skip":2,"do":"reset-after-commit"}])");
  for (const auto& ended :
       run_fleet(s, 3, {program("big"), "-mib", GetParam(), "-name", kSomeCovmeta})) {
    EXPECT_EQ(ended.code, 0);
    EXPECT_NE(ended.err.find("uploaded 3 files"), std::string::npos) << ended.err;
  }
  EXPECT_EQ(s.store().sizes().size(), 2U + 3U);  // two covmeta, and counters of each
}

// --- the last seconds ---------------------------------------------------------------------------

// With BBR no window has to be widened: the program can't tell that this kernel has it.
void hide_congestion_control() {
  const auto low_word = [](std::size_t offset) { return static_cast<std::uint32_t>(offset); };
  std::array<sock_filter, 8> filter{
      sock_filter(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, low_word(offsetof(seccomp_data, nr)))),
      sock_filter(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getsockopt, 0, 5)),
      sock_filter(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, low_word(offsetof(seccomp_data, args[1])))),
      sock_filter(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_TCP, 0, 3)),
      sock_filter(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, low_word(offsetof(seccomp_data, args[2])))),
      sock_filter(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, TCP_CONGESTION, 0, 1)),
      sock_filter(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)),
      sock_filter(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW))};
  const sock_fprog program{filter.size(), filter.data()};
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

// A program that was told to stop, after a time without uploads, and goes on until SIGINT.
class Prepared : public testing::Test {
 protected:
  void stop_after_idling(const std::string& rules) {
    s_.store().script(rules);
    process_ = std::make_unique<Process>(
        Scenario::command({program("sleeper"), "-print-signals", "-until", "SIGINT"}),
        Options{.env = s_.env(), .before_exec = hide_congestion_control});
    s_.store().await("POST /upload", 2, true);  // covmeta, and the start of the run's record
    // After an answer the connection counts as warm for a second: that second has to pass.
    const auto cold = std::chrono::steady_clock::now() + milliseconds(2200);
    eventually([&] { return std::chrono::steady_clock::now() > cold; });
    process_->send(SIGTERM);
    s_.store().await("GET /storage/v1/b/bucket/o/f%2Fcovmeta?", 1, true);
    ASSERT_TRUE(eventually([&] { return process_->out().find("SIGTERM") != std::string::npos; }));
  }
  Ended end() {
    process_->send(SIGINT);
    return process_->wait();
  }

  Scenario s_{Wire::tls};

 private:
  std::unique_ptr<Process> process_;
};

TEST_F(Prepared, TokenAndAWideConnectionAreReadyWhenTheAppEnds) {
  stop_after_idling("[]");
  s_.store().await("POST /batch", 1, true);
  s_.expect_all_stored(end());
  const auto calls = s_.store().calls();  // token, covmeta, look, waking, counters
  ASSERT_EQ(calls.size(), 5U + 3U);       // and what this test asked
  EXPECT_EQ(calls[2].method, "GET");
  EXPECT_NE(calls[2].connection, calls[1].connection);
  EXPECT_EQ(calls[3].path, "/batch/storage/v1");
  EXPECT_EQ(calls[3].status, 200);
  const auto all = s_.store().calls(Records::included);
  EXPECT_TRUE(std::ranges::any_of(all, [&](const auto& call) {
    return call.path.starts_with("/upload") && call.ms < calls[2].ms &&
           call.connection == calls[3].connection;
  })) << "one of those that were idle";
  EXPECT_LE(calls[4].connection, calls[2].connection) << "one of the two";
}

TEST_F(Prepared, AConnectionThatTheServerClosedIsReplaced) {
  // Of covmeta and of the run's record; the client isn't told.
  stop_after_idling(R"([{"match":"POST /upload","times":2,"do":"cut-response","bytes":90000000}])");
  s_.store().await("POST /batch", 1, true);
  EXPECT_EQ(end().code, 0);
  const auto calls = s_.store().calls();
  ASSERT_EQ(calls.size(), 5U);
  EXPECT_NE(calls[2].connection, calls[1].connection);
  EXPECT_EQ(calls[3].connection, calls[2].connection);
}

class Waking : public Prepared, public testing::WithParamInterface<const char*> {};
INSTANTIATE_TEST_SUITE_P(
    Answers, Waking,
    testing::Values(R"("stall")", R"("stall","bytes":1000)", R"("early-status","status":400)",
                    R"("status","status":404)", R"("status","status":429,"retryAfter":3600)",
                    R"("reset-before-body")", R"("reset-after-bytes","bytes":30000)",
                    R"("cut-response","bytes":10)"),
    [](const auto& c) { return "kind" + std::to_string(c.index); });

TEST_P(Waking, DelaysAndBreaksNothingWhateverTheAnswerIs) {
  stop_after_idling(R"([{"match":"POST /batch","times":-1,"do":)" + std::string(GetParam()) + "}]");
  s_.store().await("POST /batch", 1);
  const auto ended = end();
  s_.expect_all_stored(ended);
  EXPECT_EQ(lines_of(ended.err), 1U) << ended.err;
  EXPECT_EQ(s_.store().count("POST", "uploadType=multipart"), 2U);
}

TEST(PreparedToken, IsAnotherOneWhenHalfOfItsLifeIsOver) {
  const Scenario s(Wire::tls, {"-token-lifetime", "3s"});
  Process process(Scenario::command({program("sleeper")}), {.env = s.env()});
  s.store().await("POST /upload", 1, true);
  const auto half = std::chrono::steady_clock::now() + milliseconds(1600);
  eventually([&] { return std::chrono::steady_clock::now() > half; });
  process.send(SIGTERM);
  s.expect_all_stored(process.wait());
  EXPECT_EQ(s.store().count("GET", "/token"), 2U);
  for (const auto& call : s.store().calls()) EXPECT_NE(call.status, 401) << call.path;
}

// Whether the counters went over the connection of an earlier request.
bool last_found_a_connection(const ScriptedGcs& store) {
  auto calls = store.calls(Records::included);
  while (calls.back().query.find("covcounters") == std::string::npos) calls.pop_back();
  const auto connection = calls.back().connection;
  calls.pop_back();
  return std::ranges::any_of(calls, [&](const auto& c) { return c.connection == connection; });
}

TEST(PreparedConnection, OfTheCovmetaStaysOpen) {
  const Scenario s(Wire::tls);
  Process process(Scenario::command({"--log-level=debug", program("sleeper")}), {.env = s.env()});
  ASSERT_TRUE(
      eventually([&] { return process.err().find("uploaded covmeta.") != std::string::npos; }));
  process.send(SIGTERM);
  s.expect_all_stored(process.wait());
  EXPECT_TRUE(last_found_a_connection(s.store()));
}

}  // namespace
}  // namespace integcov::test
