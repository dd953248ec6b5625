// Networks and front ends that break, stall and lie: every file is in the bucket all the same.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <utility>

#include "integration/scenario.h"

namespace integcov::test {
namespace {

struct Fault {
  const char* name;
  const char* rules;
  const char* mib;  // of the file that `big` writes
};
void PrintTo(const Fault& fault, std::ostream* out) { *out << fault.name; }

using Case = std::tuple<Fault, Wire>;

std::string name_of(const testing::TestParamInfo<Case>& info) {
  return std::get<Fault>(info.param).name +
         std::string(std::get<Wire>(info.param) == Wire::tls ? "_tls" : "");
}

class Transport : public testing::TestWithParam<Case> {};

INSTANTIATE_TEST_SUITE_P(
    Faults, Transport,
    testing::Combine(
        testing::Values(
            Fault{"it_accepts_and_says_nothing", R"([{"match":"POST /upload","do":"stall"}])", "1"},
            Fault{"it_stops_reading", R"([{"match":"PUT /upload","do":"stall","bytes":100000}])",
                  "20"},
            Fault{"it_stops_in_its_answer",
                  R"([{"match":"POST /upload","do":"stall-response","bytes":150}])", "1"},
            Fault{"half_an_answer",
                  R"([{"match":"POST /upload","times":2,"do":"partial-response"}])", "1"},
            Fault{"an_error_before_the_body_is_read",
                  R"([{"match":"PUT /upload","times":2,"do":"early-status","status":500}])", "20"},
            Fault{"reset_before_the_body",
                  R"([{"match":"POST /upload","times":3,"do":"reset-before-body"}])", "1"},
            Fault{"reset_in_a_session",
                  R"([{"match":"PUT /upload","times":2,"do":"reset-after-bytes","bytes":3000000}])",
                  "12"},
            Fault{"lost_answer",
                  R"([{"match":"POST /upload","times":2,"do":"reset-after-commit"}])", "1"},
            Fault{"lost_answer_of_a_session",
                  R"([{"match":"PUT /upload","do":"reset-after-commit"}])", "12"},
            Fault{"every_kept_connection_is_stale",
                  R"([{"match":"* /","times":-1,"do":"cut-response","bytes":90000000}])", "1"},
            Fault{"a_kept_connection_is_reset",
                  R"([{"match":"POST /upload","skip":1,"do":"reset-before-body"}])", "1"},
            Fault{"a_kept_connection_is_dead",
                  R"([{"match":"POST /upload","skip":1,"do":"stall"}])", "1"}),
        testing::Values(Wire::plain, Wire::tls)),
    name_of);

TEST_P(Transport, EveryFileIsStoredExactly) {
  const Scenario s(std::get<Wire>(GetParam()));
  const Fault& fault = std::get<Fault>(GetParam());
  s.store().script(fault.rules);
  s.expect_all_stored(s.run({program("big"), "-mib", fault.mib}));
  for (const auto& call : s.store().calls()) {
    EXPECT_FALSE(call.expects) << "a 100-continue that never comes would cost a second";
  }
}

class AnyByte : public testing::TestWithParam<Wire> {};
INSTANTIATE_TEST_SUITE_P(Wires, AnyByte, testing::Values(Wire::plain, Wire::tls),
                         [](const auto& c) { return c.param == Wire::tls ? "tls" : "plain"; });

// What `hello` uploads is a few hundred bytes, the envelope included.
TEST_P(AnyByte, AResetThereInARequestIsSurvived) {
  for (const int bytes : {0, 1, 60, 150, 250, 330, 400, 470, 540, 620, 10'000}) {
    SCOPED_TRACE(bytes);
    const Scenario s(GetParam());
    s.store().script(R"([{"match":"POST /upload","times":2,"do":"reset-after-bytes","bytes":)" +
                     std::to_string(bytes) + "}]");
    s.expect_all_stored(s.run({program("hello")}));
  }
}

TEST_P(AnyByte, AnEndThereOfAnAnswerIsSurvived) {
  for (const int bytes : {0, 1, 9, 15, 40, 90, 130, 170, 200, 230, 260, 290, 320}) {
    SCOPED_TRACE(bytes);
    const Scenario s(GetParam());
    s.store().script(R"([{"match":"POST /upload","times":2,"do":"cut-response","bytes":)" +
                     std::to_string(bytes) + "}]");
    s.expect_all_stored(s.run({program("hello")}));
  }
}

// A listener whose connections are accepted by the kernel and by nobody else.
class SilentHost {
 public:
  SilentHost() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    auto* raw = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(fd_, raw, length), 0);
    EXPECT_EQ(::listen(fd_, 64), 0);
    EXPECT_EQ(::getsockname(fd_, raw, &length), 0);
    address_ = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  }
  [[nodiscard]] const std::string& address() const { return address_; }
  SilentHost(const SilentHost&) = delete;
  SilentHost& operator=(const SilentHost&) = delete;
  ~SilentHost() { close(); }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

 private:
  int fd_;
  std::string address_;
};

TEST(SessionHost, AnUnreachableOneIsLeftForANewSession) {
  SilentHost gone;
  gone.close();
  const Scenario s;
  s.store().script(R"([{"match":"POST /upload","contains":"resumable","do":"status","status":200,)"
                   R"("headers":{"Location":"http://)" +
                   gone.address() + R"(/s?upload_id=1"}}])");
  s.expect_all_stored(s.run({program("big"), "-mib", "12"}));
}

TEST(SessionHost, ASilentOneIsLeftForANewSession) {
  const SilentHost silent;
  const Scenario s;
  s.store().script(R"([{"match":"POST /upload","contains":"resumable","do":"status","status":200,)"
                   R"("headers":{"Location":"http://)" +
                   silent.address() + R"(/s?upload_id=1"}}])");
  const auto ended = s.run({program("big"), "-mib", "12"});
  s.expect_all_stored(ended);
  EXPECT_LT(ended.took, std::chrono::seconds(9)) << "it must fit into a grace";
}

void expect_a_summary_in_time(const Ended& ended, std::chrono::milliseconds limit) {
  EXPECT_LT(ended.took, limit);
  EXPECT_EQ(count_of(ended.err, "not uploaded"), 1U) << ended.err;
  EXPECT_NE(ended.err.find("2 of 2 files were not uploaded to gs://bucket/f ("), std::string::npos)
      << ended.err;
  EXPECT_NE(ended.err.find("they stay in "), std::string::npos);
}

class Outage : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Kinds, Outage, testing::Values("refused", "silent", "silent_tls", "busy"),
                         [](const auto& c) { return std::string(c.param); });

TEST_P(Outage, EndsInTimeWithOneSummaryAndTheAppsStatus) {
  const std::string kind = GetParam();
  SilentHost silent;
  const Scenario s(kind == "silent_tls" ? Wire::tls : Wire::plain);
  auto env = s.env();
  env["INTEGCOV_UPLOAD_TIMEOUT"] = "3s";
  s.store().script(R"([{"match":"* /upload","times":-1,"do":"status","status":503}])");
  if (kind != "busy") env["STORAGE_EMULATOR_HOST"] = "http://" + silent.address();
  if (kind == "refused") silent.close();
  if (kind == "silent_tls") {
    env.erase("STORAGE_EMULATOR_HOST");
    env["INTEGCOV_GCS_ENDPOINT"] = "https://" + silent.address();
  }
  const auto ended = run(Scenario::command({program("hello"), "3"}), {.env = env});
  EXPECT_EQ(ended.code, 3);
  expect_a_summary_in_time(ended, std::chrono::seconds(5));
  env["INTEGCOV_ON_UPLOAD_ERROR"] = "fail";
  EXPECT_EQ(run(Scenario::command({program("hello")}), {.env = env}).code, 125);

  s.store().heal();
  const auto again = s.run({"true"});
  EXPECT_NE(again.err.find("uploaded 3 files"), std::string::npos) << again.err;
  Scenario::expect_equal(s.stored(), read_tree(s.coverdir()));
}

TEST(OutageThatHeals, IsRecoveredFromWhileTheAppRuns) {
  const Scenario s;
  s.store().script(R"([{"match":"* /","times":-1,"do":"reset-before-body"}])");
  Process process(Scenario::command({program("sleeper")}), {.env = s.env()});
  s.store().await("POST /upload", 4);
  s.store().heal();
  s.store().await("POST /upload", 5, true);
  process.send(SIGTERM);
  s.expect_all_stored(process.wait());
}

TEST(OutageThatHeals, IsRecoveredFromInTheLastSeconds) {
  const Scenario s(Wire::tls);
  s.store().script(R"([{"match":"* /","times":-1,"do":"status","status":503}])");
  Process process(Scenario::command({program("sleeper")}), {.env = s.env()});
  ASSERT_TRUE(eventually([&] { return process.out().find("ready") != std::string::npos; }));
  process.send(SIGTERM);
  s.store().await("GET /computeMetadata", 3);
  s.store().heal();
  s.expect_all_stored(process.wait());
}

}  // namespace
}  // namespace integcov::test
