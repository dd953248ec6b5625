// One upload as a story: the request that must be sent, the answer it gets.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "base/crc32c.h"
#include "storage/gcs/upload_machine.h"

namespace integcov::storage::gcs {

using http::Headers;
using http::Reply;
using http::Response;
using http::TransportError;

constexpr std::uint64_t kChunk = 256 << 10;
constexpr std::uint64_t kLarge = 4 * kChunk;
constexpr const char* kSession = "https://storage.googleapis.com/upload?upload_id=1";
constexpr const char* kOther = "https://storage.googleapis.com/upload?upload_id=2";

inline ObjectSpec small() {
  return {.base_url = "https://storage.googleapis.com",
          .bucket = "b",
          .name = "covcounters.1",
          .size = 9,
          .crc32c = crc32c(0, "123456789"),
          .unique_name = true,
          .boundary = "B"};
}

inline ObjectSpec large(std::uint64_t chunk_size = 0) {
  ObjectSpec spec = small();
  spec.size = kLarge;
  spec.multipart_limit = kChunk;
  spec.chunk_size = chunk_size;
  return spec;
}

inline ObjectSpec meta(ObjectSpec spec) {
  spec.name = "covmeta.0123";
  spec.content_addressed = true;
  spec.unique_name = false;
  return spec;
}

inline Response answer(int status, std::string body = {}, Headers headers = {}) {
  return {.status = status, .headers = std::move(headers), .body = std::move(body)};
}
inline Response object(std::uint64_t size,
                       const std::string& crc = "4waSgw==", int generation = 11) {
  return answer(200, R"({"size":")" + std::to_string(size) + R"(","crc32c":")" + crc +
                         R"(","generation":")" + std::to_string(generation) + "\"}");
}
inline Response other_content(int generation) { return object(5, "AAAAAA==", generation); }
inline Response held(std::uint64_t bytes) {
  return answer(308, {}, {{"Range", "bytes=0-" + std::to_string(bytes - 1)}});
}
inline Response location(const std::string& url) { return answer(200, {}, {{"Location", url}}); }
inline TransportError broken(bool maybe_sent = true) {
  return {.message = "connection reset", .retryable = true, .maybe_sent = maybe_sent};
}

// A machine with its last step. Each expect_* holds the request against what the story says.
class Story {
 public:
  explicit Story(ObjectSpec spec) : machine_(std::move(spec)) {}

  void attempt() {
    machine_.begin_attempt(7);
    step_ = machine_.start();
  }
  void reply(const Reply& reply) { step_ = machine_.on_reply(reply); }
  void new_token() { step_ = machine_.start(); }
  [[nodiscard]] std::uint64_t generation() const { return machine_.generation(); }

  [[nodiscard]] const http::Request& request() const { return std::get<Send>(step_).request; }
  [[nodiscard]] bool authorized() const { return std::get<Send>(step_).authorize; }
  [[nodiscard]] bool wants_token() const { return std::holds_alternative<NeedNewToken>(step_); }
  [[nodiscard]] std::string sent() const {
    const auto* send = std::get_if<Send>(&step_);
    if (send == nullptr) return wants_token() ? "token" : "finished";
    const std::string& url = send->request.url;
    const auto match = url.find("ifGenerationMatch=");
    const std::string generation =
        match == std::string::npos ? "" : url.substr(match + 18, url.find('&', match) - match - 18);
    if (url.find("uploadType=multipart") != std::string::npos) return "multipart " + generation;
    if (url.find("uploadType=resumable") != std::string::npos) return "start " + generation;
    if (send->request.method == "GET") return "look";
    const std::string range(*http::find_header(send->request.headers, "Content-Range"));
    return url.substr(url.size() - 1) + ": " + range;
  }
  [[nodiscard]] upload::Stored stored() const {
    const auto* finished = std::get_if<Finished>(&step_);
    if (finished != nullptr) {
      if (const auto* stored = std::get_if<upload::Stored>(&finished->outcome)) return *stored;
      ADD_FAILURE() << "failed: " << std::get<upload::Failed>(finished->outcome).reason;
    } else {
      ADD_FAILURE() << "not finished: " << sent();
    }
    return {.already_there = false, .note = "not stored"};
  }
  [[nodiscard]] upload::Failed failed() const {
    const auto* finished = std::get_if<Finished>(&step_);
    if (finished != nullptr) {
      if (const auto* failed = std::get_if<upload::Failed>(&finished->outcome)) return *failed;
    }
    ADD_FAILURE() << "not failed: " << sent();
    return {};
  }

 private:
  UploadMachine machine_;
  Step step_ = NeedNewToken{};
};

}  // namespace integcov::storage::gcs
