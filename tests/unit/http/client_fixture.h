// What the tests of CurlClient share: a client on a loop, and short ways to ask it.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "event/timer.h"
#include "http/curl_client.h"
#include "support/loopback_server.h"

namespace integcov::http {

using namespace std::chrono_literals;
using test::Answer;
using test::answer;
using test::LoopbackServer;
using test::Received;

class CurlClientTest : public testing::Test {
 protected:
  CurlClientTest() { guard_.arm(20s); }

  // Runs the loop until `condition` holds.
  template <class Condition>
  void run_until(Condition condition) {
    event::Timer tick(loop_, [] {});
    while (!condition() && !timed_out_) {
      tick.arm(5ms);  // one turn runs timers first and waits then: not for long
      uv_run(loop_.raw(), UV_RUN_ONCE);
    }
    ASSERT_FALSE(timed_out_) << "it never happened";
  }

  Reply ask(Request request) {
    std::optional<Reply> reply;
    const auto exchange = client_.start(std::move(request), [&](Reply r) { reply = std::move(r); });
    EXPECT_FALSE(reply) << "done was called from inside start()";
    run_until([&] { return reply.has_value(); });
    return reply ? *std::move(reply) : Reply{};
  }

  TransportError fail(Request request) {
    const Reply reply = ask(std::move(request));
    const auto* error = std::get_if<TransportError>(&reply);
    EXPECT_NE(error, nullptr) << "answered with a response";
    return error != nullptr ? *error : TransportError{};
  }

  event::Loop loop_;
  bool timed_out_ = false;
  event::Timer guard_{loop_, [this] { timed_out_ = true; }};
  CurlClient client_{loop_, {.user_agent = "go-integcov/test", .max_connections_per_host = 4}};
};

inline Response response(const Reply& reply) {
  const auto* answered = std::get_if<Response>(&reply);
  if (answered == nullptr) ADD_FAILURE() << std::get<TransportError>(reply).message;
  return answered != nullptr ? *answered : Response{};
}

struct TempFile {
  explicit TempFile(const std::string& content) : file(std::tmpfile(), &std::fclose) {
    std::fwrite(content.data(), 1, content.size(), file.get());
    std::fflush(file.get());
  }
  [[nodiscard]] int fd() const { return fileno(file.get()); }
  std::unique_ptr<std::FILE, decltype(&std::fclose)> file;
};

inline std::string pattern(std::size_t size) {
  std::string bytes(size, '\0');
  std::uint32_t state = 1;
  for (char& c : bytes) c = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  return bytes;
}

}  // namespace integcov::http
