// Whole uploads against a model of the server that loses requests and answers, keeps parts, forgets
// sessions and has other writers: whatever happens, success is reported when and only when the
// file's bytes are there. INTEGCOV_SIMULATION_SEEDS says how many uploads.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>

#include "base/crc32c.h"
#include "storage/gcs/upload_machine.h"

namespace integcov::storage::gcs {
namespace {

using http::Reply;
using http::Request;
using http::Response;
using http::TransportError;

constexpr std::uint64_t kQuantum = 256 << 10;
constexpr int kMaxSteps = 80;  // requests in one attempt

enum class Content { none, ours, foreign };

// Draws that a seed repeats.
class Dice {
 public:
  explicit Dice(std::uint32_t seed) : engine_(seed) {}
  std::uint64_t below(std::uint64_t n) { return engine_() % n; }
  bool chance(unsigned percent) { return below(100) < percent; }

 private:
  std::mt19937 engine_;
};

class Server {
 public:
  Server(const ObjectSpec& spec, Dice& dice) : spec_(spec), dice_(dice) {
    hides_ = dice.chance(15);
    no_delete_ = dice.chance(15);
    checks_at_start_ = dice.chance(50);
  }

  // The answer, or what the connection makes of it. With `trouble` percent each thing that can go
  // wrong does.
  Reply handle(const Request& request, unsigned trouble) {
    from_finished_session_ = false;
    trouble_ = trouble;
    if (bad()) other_writer();
    if (bad()) return TransportError{"not connected", true, false, false};
    if (bad()) return TransportError{"reset", true, true, dice_.chance(50)};
    if (bad()) return TransportError{"no answer", true, true, dice_.chance(20), true};
    if (bad()) return answer(429);
    if (bad()) return answer(401);
    if (bad()) return answer(503);
    const Response response = perform(request);
    if (bad()) return TransportError{"answer lost", true, true, dice_.chance(30)};
    if (bad() && response.status != 308) return answer(dice_.chance(50) ? 503 : 408);
    return response;
  }

  [[nodiscard]] Content content() const { return content_; }
  [[nodiscard]] bool from_finished_session() const { return from_finished_session_; }
  // Another writer came after the last 412.
  [[nodiscard]] bool intruded() const { return intruded_; }
  [[nodiscard]] bool hides() const { return hides_; }
  [[nodiscard]] bool no_delete() const { return no_delete_; }
  [[nodiscard]] int our_commits() const { return our_commits_; }

 private:
  struct Session {
    std::uint64_t match = 0;
    std::uint64_t held = 0;
    bool finished = false;
  };

  bool bad() { return dice_.chance(trouble_); }

  static Response answer(int status, http::Headers headers = {}, std::string body = {}) {
    return {.status = status, .headers = std::move(headers), .body = std::move(body)};
  }

  Response refuse() {
    intruded_ = false;
    return answer(412);
  }

  void other_writer() {
    intruded_ = true;
    content_ = static_cast<Content>(dice_.below(3));
    generation_ = content_ == Content::none ? 0 : ++last_generation_;
  }

  [[nodiscard]] Response resource() const {
    const bool ours = content_ == Content::ours;
    const std::uint64_t size = ours ? spec_.size : spec_.size - generation_ % 2;
    return answer(200, {},
                  R"({"size":")" + std::to_string(size) + R"(","generation":")" +
                      std::to_string(generation_) + R"(","crc32c":")" +
                      crc32c_base64(ours ? spec_.crc32c : spec_.crc32c + 1) + "\"}");
  }

  Response perform(const Request& request) {
    if (request.method == "GET") {
      if (hides_) return answer(403);
      return content_ == Content::none ? answer(404) : resource();
    }
    const auto match_at = request.url.find("ifGenerationMatch=");
    if (request.method == "PUT") return perform_put(request);
    const std::uint64_t match = std::stoull(request.url.substr(match_at + 18));
    if (request.url.find("uploadType=multipart") != std::string::npos) {
      const auto& range = std::get<http::FileRange>(request.body.at(1));
      EXPECT_EQ(range.offset, 0U);
      EXPECT_EQ(range.length, spec_.size);
      return commit(match);
    }
    if (checks_at_start_ && match != generation_) return refuse();
    const std::string id = std::to_string(++last_session_);
    sessions_[id] = {.match = match};
    return answer(200, {{"Location", "/s?upload_id=" + id}});
  }

  Response perform_put(const Request& request) {
    const auto found = sessions_.find(request.url.substr(request.url.find('=') + 1));
    if (found == sessions_.end()) return answer(404);
    Session& session = found->second;
    if (bad()) {
      sessions_.erase(found);
      return answer(dice_.chance(50) ? 404 : 410);
    }
    if (session.finished) {
      from_finished_session_ = true;
      Response first = resource();
      first.body = R"({"size":")" + std::to_string(spec_.size) +
                   R"(","generation":"1","crc32c":")" + crc32c_base64(spec_.crc32c) + "\"}";
      return first;
    }
    if (request.body.empty()) return held(session);
    const auto& range = std::get<http::FileRange>(request.body.at(0));
    EXPECT_EQ(http::find_header(request.headers, "Content-Range"),
              "bytes " + std::to_string(range.offset) + "-" +
                  std::to_string(range.offset + range.length - 1) + "/" +
                  std::to_string(spec_.size));
    if (range.offset > session.held) return answer(503);
    std::uint64_t end = range.offset + range.length;
    EXPECT_LE(end, spec_.size);
    if (bad()) end = (range.offset + dice_.below(range.length)) / kQuantum * kQuantum;
    session.held = std::max(session.held, end);
    if (session.held < spec_.size) return held(session);
    if (bad()) return held(session);  // all there, but not finished
    const Response response = commit(session.match);
    session.finished = response.status == 200;
    if (!session.finished) sessions_.erase(found);
    return response;
  }

  static Response held(const Session& session) {
    if (session.held == 0) return answer(308);
    return answer(308, {{"Range", "bytes=0-" + std::to_string(session.held - 1)}});
  }

  Response commit(std::uint64_t match) {
    if (match != generation_) return refuse();
    if (content_ != Content::none && no_delete_) return answer(403);
    if (bad())
      return answer(400, {}, "Provided CRC32C \"a\" doesn't match calculated CRC32C \"b\"");
    content_ = Content::ours;
    generation_ = ++last_generation_;
    ++our_commits_;
    return resource();
  }

  const ObjectSpec& spec_;
  Dice& dice_;
  unsigned trouble_ = 0;
  Content content_ = Content::none;
  std::uint64_t generation_ = 0;
  std::uint64_t last_generation_ = 1000;
  std::map<std::string, Session> sessions_;
  int last_session_ = 0;
  bool intruded_ = false;
  bool hides_ = false;
  bool no_delete_ = false;
  bool checks_at_start_ = false;
  bool from_finished_session_ = false;
  int our_commits_ = 0;
};

// One attempt; nullopt: it was cancelled.
std::optional<upload::Outcome> attempt(UploadMachine& machine, Server& server, Dice& dice,
                                       unsigned trouble) {
  machine.begin_attempt(7);
  Step step = machine.start();
  for (int i = 0; i < kMaxSteps; ++i) {
    if (auto* finished = std::get_if<Finished>(&step)) return finished->outcome;
    if (auto* send = std::get_if<Send>(&step)) {
      const Reply reply = server.handle(send->request, trouble);
      if (dice.chance(trouble)) return std::nullopt;
      step = machine.on_reply(reply);
    } else {
      step = machine.start();
    }
  }
  ADD_FAILURE() << "an attempt without end";
  return std::nullopt;
}

void check_stored(const upload::Stored& stored, const Server& server) {
  if (stored.note.empty()) {
    // A finished session tells what it stored, even if another writer has replaced it since.
    EXPECT_TRUE(server.content() == Content::ours || server.from_finished_session());
  } else {
    EXPECT_TRUE(server.hides());
    EXPECT_TRUE(server.content() != Content::none || server.intruded());  // since the 412
  }
  EXPECT_TRUE(!stored.already_there || server.our_commits() == 0);
}

void check_failed(const upload::Failed& failed, const Server& server) {
  EXPECT_NE(failed.reason, "");
  if (failed.retryable) return;
  EXPECT_TRUE(server.no_delete() || server.hides() || failed.reason.starts_with("HTTP 401"))
      << failed.reason;
}

std::uint64_t seeds() {
  const char* text = std::getenv("INTEGCOV_SIMULATION_SEEDS");
  return text == nullptr ? 300'000 : std::max(20'000ULL, std::strtoull(text, nullptr, 10));
}

// Returns how it ended.
std::string run(std::uint32_t seed) {
  Dice dice(seed);
  ObjectSpec spec{.base_url = "http://h",
                  .bucket = "b",
                  .name = "n",
                  .size = dice.below(12 * kQuantum) + 2,
                  .crc32c = 77,
                  .content_addressed = dice.chance(50),
                  .look_first = dice.chance(30),
                  .multipart_limit = 4 * kQuantum,
                  .chunk_size = dice.below(4) * kQuantum,
                  .boundary = "B"};
  Server server(spec, dice);
  UploadMachine machine(spec);
  const unsigned trouble = static_cast<unsigned>(dice.below(25));
  const std::uint64_t troubled_attempts = dice.below(8);
  for (std::uint64_t i = 0; i < troubled_attempts + 2; ++i) {
    const bool calm = i >= troubled_attempts;
    const auto outcome = attempt(machine, server, dice, calm ? 0 : trouble);
    if (!outcome) continue;
    if (const auto* stored = std::get_if<upload::Stored>(&*outcome)) {
      check_stored(*stored, server);
      return stored->note.empty() ? (stored->already_there ? "already there" : "stored") : "note";
    }
    const auto& failed = std::get<upload::Failed>(*outcome);
    check_failed(failed, server);
    if (!failed.retryable) return "permanent";
  }
  ADD_FAILURE() << "not stored although nothing stood in the way";
  return "not stored";
}

TEST(UploadMachineSimulation, SuccessIsReportedWhenAndOnlyWhenTheBytesAreThere) {
  std::map<std::string, int> endings;
  for (std::uint64_t seed = 0; seed < seeds(); ++seed) {
    ++endings[run(static_cast<std::uint32_t>(seed))];
    ASSERT_FALSE(HasFailure()) << "seed " << seed;
  }
  // The troubles were neither too few nor too many to reach each ending.
  for (const char* ending : {"stored", "already there", "note", "permanent"}) {
    EXPECT_GT(endings[ending], 100) << ending;
  }
  EXPECT_GT(endings["stored"], 10'000);
}

}  // namespace
}  // namespace integcov::storage::gcs
