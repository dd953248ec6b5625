// A model of the service for simulated uploads. It loses requests and answers, performs some of
// them later, keeps parts, forgets sessions and has other writers. It knows no files: what it
// stores is what the requests announce.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "base/crc32c.h"
#include "storage/gcs/upload_machine.h"

namespace integcov::storage::gcs {

constexpr std::uint64_t kQuantum = 256 << 10;

// Draws that a seed repeats.
class Dice {
 public:
  explicit Dice(std::uint32_t seed) : engine_(seed) {}
  std::uint64_t below(std::uint64_t n) { return engine_() % n; }
  bool chance(unsigned percent) { return below(100) < percent; }

 private:
  std::mt19937 engine_;
};

// What some credentials may do, and how the service checks it.
struct ServerTraits {
  bool hides = false;            // no storage.objects.get
  bool no_delete = false;        // no storage.objects.delete
  bool checks_at_start = false;  // of a session, too
  bool other_writers = true;
};

class ModelServer {
 public:
  struct Object {
    std::uint64_t size = 0;
    std::string crc32c;
    std::uint64_t generation = 0;

    [[nodiscard]] bool is(const ObjectSpec& spec) const {
      return size == spec.size && crc32c == crc32c_base64(spec.crc32c);
    }
  };

  ModelServer(ServerTraits traits, Dice& dice) : traits_(traits), dice_(dice) {}

  // The answer, or what the connection makes of it. With `trouble` percent each thing that can go
  // wrong does. `spec` is what the client is about to store: other writers may store it, too.
  http::Reply handle(const http::Request& request, const ObjectSpec& spec, unsigned trouble) {
    from_finished_session_ = false;
    trouble_ = trouble;
    if (!late_.empty() && dice_.chance(30)) perform_late();
    if (bad() && traits_.other_writers) other_writer(spec);
    if (bad()) return http::TransportError{"not connected", true, false, false};
    if (bad()) return http::TransportError{"reset", true, true, dice_.chance(50)};
    if (bad()) {
      if (dice_.chance(50)) late_.push_back(request);
      return http::TransportError{"no answer", true, true, dice_.chance(20), true};
    }
    if (bad()) return answer(429);
    if (bad()) return answer(401);
    if (bad()) return answer(503);
    const http::Response response = perform(request);
    if (bad()) return http::TransportError{"answer lost", true, true, dice_.chance(30)};
    if (bad() && response.status != 308) return answer(dice_.chance(50) ? 503 : 408);
    return response;
  }

  // Someone stores an object that is no file of ours.
  void store_foreign(const ObjectSpec& spec) {
    const std::uint64_t generation = ++last_generation_;
    objects_[spec.name] = {spec.size - generation % 2, crc32c_base64(spec.crc32c + 1), generation};
  }

  [[nodiscard]] const ServerTraits& traits() const { return traits_; }
  [[nodiscard]] const Object* find(const std::string& name) const {
    const auto found = objects_.find(name);
    return found == objects_.end() ? nullptr : &found->second;
  }
  [[nodiscard]] bool from_finished_session() const { return from_finished_session_; }
  // Another writer came after the last 412.
  [[nodiscard]] bool intruded() const { return intruded_; }
  // While the client waited for the answer.
  [[nodiscard]] int our_commits() const { return our_commits_; }

 private:
  struct Session {
    std::string name;
    Object object;
    std::uint64_t match = 0;
    std::uint64_t held = 0;
    bool finished = false;
  };

  bool bad() { return dice_.chance(trouble_); }

  static http::Response answer(int status, http::Headers headers = {}, std::string body = {}) {
    return {.status = status, .headers = std::move(headers), .body = std::move(body)};
  }

  static http::Response resource(const Object& object) {
    return answer(200, {},
                  R"({"size":")" + std::to_string(object.size) + R"(","generation":")" +
                      std::to_string(object.generation) + R"(","crc32c":")" + object.crc32c +
                      "\"}");
  }

  http::Response refuse() {
    intruded_ = false;
    return answer(412);
  }

  void other_writer(const ObjectSpec& spec) {
    intruded_ = true;
    switch (dice_.below(3)) {
      case 0: objects_.erase(spec.name); return;
      case 1: store_foreign(spec); return;
      default: objects_[spec.name] = {spec.size, crc32c_base64(spec.crc32c), ++last_generation_};
    }
  }

  // The client has given it up.
  void perform_late() {
    const http::Request request = std::move(late_.back());
    late_.pop_back();
    const bool intruded = intruded_;
    const int commits = our_commits_;
    perform(request);
    intruded_ = intruded;
    our_commits_ = commits;
    from_finished_session_ = false;
  }

  static std::string parameter(const std::string& url, const std::string& name) {
    const auto at = url.find(name + "=");
    if (at == std::string::npos) return {};
    const auto begin = at + name.size() + 1;
    return url.substr(begin, url.find('&', begin) - begin);
  }

  static std::string announced_crc32c(const http::Request& request) {
    const auto& text = std::get<std::string>(request.body.at(0));
    const std::string key = R"("crc32c":")";
    const auto begin = text.find(key) + key.size();
    return text.substr(begin, text.find('"', begin) - begin);
  }

  http::Response perform(const http::Request& request) {
    if (request.method == "GET") {
      const auto begin = request.url.rfind("/o/") + 3;
      const Object* object = find(request.url.substr(begin, request.url.find('?') - begin));
      if (traits_.hides) return answer(403);
      return object == nullptr ? answer(404) : resource(*object);
    }
    if (request.method == "PUT") return perform_put(request);
    const std::string name = parameter(request.url, "name");
    const std::uint64_t match = std::stoull(parameter(request.url, "ifGenerationMatch"));
    Object object{.crc32c = announced_crc32c(request)};
    if (parameter(request.url, "uploadType") == "multipart") {
      const auto& range = std::get<http::FileRange>(request.body.at(1));
      EXPECT_EQ(range.offset, 0U);
      object.size = range.length;
      return commit(name, object, match);
    }
    object.size =
        std::stoull(std::string(*http::find_header(request.headers, "X-Upload-Content-Length")));
    if (traits_.checks_at_start && match != generation(name)) return refuse();
    const std::string id = std::to_string(++last_session_);
    sessions_[id] = {.name = name, .object = object, .match = match};
    return answer(200, {{"Location", "/s?upload_id=" + id}});
  }

  http::Response perform_put(const http::Request& request) {
    const auto found = sessions_.find(parameter(request.url, "upload_id"));
    if (found == sessions_.end()) return answer(404);
    Session& session = found->second;
    const std::uint64_t size = session.object.size;
    if (bad()) {
      sessions_.erase(found);
      return answer(dice_.chance(50) ? 404 : 410);
    }
    if (session.finished) {
      from_finished_session_ = true;
      return resource(session.object);
    }
    if (request.body.empty()) return held(session);
    const auto& range = std::get<http::FileRange>(request.body.at(0));
    EXPECT_EQ(http::find_header(request.headers, "Content-Range"),
              "bytes " + std::to_string(range.offset) + "-" +
                  std::to_string(range.offset + range.length - 1) + "/" + std::to_string(size));
    if (range.offset > session.held) return answer(503);
    std::uint64_t end = range.offset + range.length;
    EXPECT_LE(end, size);
    if (bad()) end = (range.offset + dice_.below(range.length)) / kQuantum * kQuantum;
    session.held = std::max(session.held, end);
    if (session.held < size) return held(session);
    if (bad()) return held(session);  // all there, but not finished
    const http::Response response = commit(session.name, session.object, session.match);
    session.finished = response.status == 200;
    if (session.finished) {
      session.object = objects_[session.name];
    } else {
      sessions_.erase(found);
    }
    return response;
  }

  static http::Response held(const Session& session) {
    if (session.held == 0) return answer(308);
    return answer(308, {{"Range", "bytes=0-" + std::to_string(session.held - 1)}});
  }

  [[nodiscard]] std::uint64_t generation(const std::string& name) const {
    const Object* object = find(name);
    return object == nullptr ? 0 : object->generation;
  }

  http::Response commit(const std::string& name, Object object, std::uint64_t match) {
    if (match != generation(name)) return refuse();
    if (match != 0 && traits_.no_delete) return answer(403);
    if (bad())
      return answer(400, {}, "Provided CRC32C \"a\" doesn't match calculated CRC32C \"b\"");
    object.generation = ++last_generation_;
    objects_[name] = object;
    ++our_commits_;
    return resource(object);
  }

  ServerTraits traits_;
  Dice& dice_;
  unsigned trouble_ = 0;
  std::map<std::string, Object> objects_;
  std::map<std::string, Session> sessions_;
  std::vector<http::Request> late_;
  std::uint64_t last_generation_ = 1000;
  int last_session_ = 0;
  bool intruded_ = false;
  bool from_finished_session_ = false;
  int our_commits_ = 0;
};

// One attempt; nullopt: it was cancelled.
inline std::optional<upload::Outcome> attempt(UploadMachine& machine, ModelServer& server,
                                              Dice& dice, unsigned trouble) {
  constexpr int kMaxSteps = 80;  // requests
  machine.begin_attempt(7);
  Step step = machine.start();
  for (int i = 0; i < kMaxSteps; ++i) {
    if (auto* finished = std::get_if<Finished>(&step)) return finished->outcome;
    if (auto* send = std::get_if<Send>(&step)) {
      const http::Reply reply = server.handle(send->request, machine.spec(), trouble);
      if (dice.chance(trouble)) return std::nullopt;
      step = machine.on_reply(reply);
    } else {
      step = machine.start();
    }
  }
  ADD_FAILURE() << "an attempt without end";
  return std::nullopt;
}

}  // namespace integcov::storage::gcs
