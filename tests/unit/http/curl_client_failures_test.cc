#include "http/curl_client.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "client_fixture.h"

namespace integcov::http {
namespace {

using CurlClientFailures = CurlClientTest;

TEST_F(CurlClientFailures, ARefusedConnectionNamesHostAndReason) {
  std::string gone;
  {
    const LoopbackServer server(loop_, [](const Received&) { return answer(200); });
    gone = server.endpoint();
  }
  const auto error = fail({.method = "PUT", .url = "http://" + gone + "/o?name=SECRET"});
  EXPECT_EQ(error.message, "cannot connect to " + gone + ": Connection refused");
  EXPECT_TRUE(error.retryable);
  EXPECT_FALSE(error.maybe_sent);
}

TEST_F(CurlClientFailures, AnUnknownHostIsSaidSo) {
  const auto error = fail({.url = "http://nowhere.invalid/", .through_proxy = false});
  EXPECT_EQ(error.message, "cannot find the address of nowhere.invalid:80");
  EXPECT_FALSE(error.maybe_sent);
}

TEST_F(CurlClientFailures, BadRequestsFailFromTheLoopAndForGood) {
  for (const char* url : {"", "nonsense", "ftp://127.0.0.1/", "http://user:pw@127.0.0.1:1/"}) {
    const auto error = fail({.url = url});
    EXPECT_FALSE(error.retryable) << url;
    EXPECT_FALSE(error.maybe_sent) << url;
    EXPECT_EQ(error.message.find("pw"), std::string::npos);
  }
  const auto split = fail({.url = "http://127.0.0.1:1/", .headers = {{"A", "b\r\nC: d"}}});
  EXPECT_EQ(split.message, "a header of the request has a line break in it");
  EXPECT_FALSE(split.retryable);
}

TEST_F(CurlClientFailures, AServerThatNeverAnswersIsGivenUp) {
  LoopbackServer server(loop_, [](const Received&) { return Answer{}; });
  const auto error = fail({.url = server.url("/?key=SECRET"), .answer_timeout = 80ms});
  EXPECT_EQ(error.message, "no answer from " + server.endpoint() + " within 80 ms");
  EXPECT_TRUE(error.retryable);
  EXPECT_TRUE(error.maybe_sent);
  EXPECT_TRUE(error.timed_out);
}

TEST_F(CurlClientFailures, AServerThatStopsReadingStalls) {
  LoopbackServer server(loop_, [](const Received&) { return answer(200); });
  server.stop_reading_after_head = true;
  const auto error = fail(
      {.method = "PUT", .url = server.url(), .body = {pattern(30'000'000)}, .stall_timeout = 80ms});
  EXPECT_EQ(error.message, "no byte from or to " + server.endpoint() + " for 80 ms");
  EXPECT_TRUE(error.timed_out);
}

TEST_F(CurlClientFailures, AServerThatStopsInTheMiddleOfItsAnswerIsGivenUp) {
  LoopbackServer server(loop_, [](const Received&) {
    Answer half = answer(200, "0123456789");
    half.bytes.resize(half.bytes.size() - 5);
    return half;
  });
  EXPECT_EQ(fail({.url = server.url(), .answer_timeout = 80ms}).message,
            "no answer from " + server.endpoint() + " within 80 ms");
}

TEST_F(CurlClientFailures, AnAnswerThatNeverEndsIsGivenUp) {
  LoopbackServer server(loop_, [](const Received&) {
    return Answer{"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"};
  });
  event::Timer drip(loop_, [&] {
    server.send_to_all("x");
    drip.arm(20ms);
  });
  server.on_answer = [&] { drip.arm(20ms); };
  EXPECT_EQ(fail({.url = server.url(), .stall_timeout = 80ms, .answer_timeout = 200ms}).message,
            "no answer from " + server.endpoint() + " within 200 ms");
}

// 127.0.0.1 with a full backlog leaves the connection unanswered.
TEST_F(CurlClientFailures, AConnectionThatIsNeverAcceptedEndsByTheConnectTimeout) {
  const UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* raw = reinterpret_cast<sockaddr*>(&address);
  ASSERT_EQ(::bind(listener.get(), raw, length), 0);
  ASSERT_EQ(::listen(listener.get(), 0), 0);
  ASSERT_EQ(::getsockname(listener.get(), raw, &length), 0);
  std::vector<UniqueFd> fillers;
  for (int i = 0; i < 8; ++i) {
    fillers.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    ::connect(fillers.back().get(), raw, length);
  }
  const std::string endpoint = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  const auto error =
      fail({.url = "http://" + endpoint + "/", .connect_timeout = 150ms, .answer_timeout = 300ms});
  if (error.message.starts_with("no answer"))
    GTEST_SKIP() << "this kernel accepts beyond the backlog";
  EXPECT_EQ(error.message, "cannot connect to " + endpoint + " within 150 ms");
  EXPECT_FALSE(error.maybe_sent);
}

TEST_F(CurlClientFailures, ASlowServerThatKeepsSendingDoesNotStall) {
  LoopbackServer server(loop_, [](const Received&) {
    return Answer{"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n"};
  });
  int sent = 0;
  event::Timer drip(loop_, [&] {
    server.send_to_all("x");
    if (++sent < 6) drip.arm(60ms);
  });
  server.on_answer = [&] { drip.arm(60ms); };
  const Response got = response(ask({.url = server.url(), .stall_timeout = 200ms}));
  EXPECT_EQ(got.body, "xxxxxx");
}

TEST_F(CurlClientFailures, AnAnswerThatEndsTooEarlyIsATransportError) {
  const Answer whole = answer(200, "0123456789");
  for (std::size_t size = 0; size < whole.bytes.size(); ++size) {
    LoopbackServer server(
        loop_, [&](const Received&) { return Answer{whole.bytes.substr(0, size), true}; });
    const Reply reply = ask({.method = "PUT", .url = server.url(), .body = {"x"}});
    if (const auto* error = std::get_if<TransportError>(&reply)) {
      EXPECT_TRUE(error->maybe_sent);
      EXPECT_TRUE(error->retryable) << size << ": " << error->message;
    } else {
      // libcurl takes an end before the Content-Length line for the end of a body without length.
      EXPECT_LT(size, whole.bytes.find("10\r\n") + 4) << "half a body passed for a whole one";
    }
  }
}

TEST_F(CurlClientFailures, SomethingThatIsNotHttpIsATransportError) {
  LoopbackServer server(loop_, [](const Received&) { return Answer{"SSH-2.0-nothing\r\n", true}; });
  const auto error = fail({.url = server.url()});
  EXPECT_EQ(error.message, server.endpoint() + " sent something that is not HTTP");
  EXPECT_TRUE(error.maybe_sent);
}

TEST_F(CurlClientFailures, ABodyUpToTheLimitIsTakenAndALongerOneIsNot) {
  LoopbackServer server(loop_, [](const Received& r) {
    return answer(200, std::string(kMaxResponseBody + (r.target == "/long" ? 1 : 0), 'x'));
  });
  EXPECT_EQ(response(ask({.url = server.url("/just")})).body.size(), kMaxResponseBody);
  const auto error = fail({.url = server.url("/long")});
  EXPECT_EQ(error.message, "the answer of " + server.endpoint() + " is longer than 1 MiB");
  EXPECT_FALSE(error.retryable);
}

TEST_F(CurlClientFailures, AnEndlessHeaderIsCutOff) {
  LoopbackServer server(loop_, [](const Received&) {
    std::string header;
    for (int i = 0; i < 400; ++i) header += "X-Long: " + std::string(1000, 'x') + "\r\n";
    return answer(200, "", header);
  });
  EXPECT_FALSE(fail({.url = server.url()}).message.empty());
}

TEST_F(CurlClientFailures, AFileThatShrinksWhileItIsSentAbortsAndMayBeRetried) {
  LoopbackServer server(loop_, [](const Received&) { return answer(200); });
  const TempFile file(pattern(1000));
  const auto error =
      fail({.method = "PUT", .url = server.url(), .body = {"x", FileRange{file.fd(), 0, 200'000}}});
  EXPECT_EQ(error.message, "the file became shorter while it was sent");
  EXPECT_TRUE(error.retryable);
  EXPECT_TRUE(server.received().empty());
}

}  // namespace
}  // namespace integcov::http
