#include "http/curl_client.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "client_fixture.h"

namespace integcov::http {
namespace {

TEST_F(CurlClientTest, GetsAnAnswerWithItsHeaders) {
  LoopbackServer server(loop_, [](const Received&) {
    return answer(404, "no such object", "X-Two: a\r\nx-two:  b \r\nEmpty:\r\n");
  });
  const Response got = response(
      ask({.url = server.url("/o/a%2F..%2Fb/../c?alt=media"), .headers = {{"X-Test", "1"}}}));
  EXPECT_EQ(got.status, 404);
  EXPECT_EQ(got.body, "no such object");
  EXPECT_EQ(find_header(got.headers, "content-length"), "14");
  EXPECT_EQ(find_header(got.headers, "x-two"), "a");
  EXPECT_EQ(find_header(got.headers, "empty"), "");

  const Received& seen = server.received().at(0);
  EXPECT_EQ(seen.method, "GET");
  EXPECT_EQ(seen.target, "/o/a%2F..%2Fb/../c?alt=media");  // as written
  EXPECT_NE(seen.head.find("X-Test: 1\r\n"), std::string::npos);
  EXPECT_NE(seen.head.find("User-Agent: go-integcov/test\r\n"), std::string::npos);
}

TEST_F(CurlClientTest, SendsEveryBodyExactlyUnderOneContentLength) {
  LoopbackServer server(loop_, [](const Received&) { return answer(200); });
  const std::string bytes = pattern(700'000);
  const TempFile file(bytes);
  for (const std::string method : {"PUT", "POST"}) {
    response(ask({.method = method,
                  .url = server.url(),
                  .headers = {{"Content-Type", "text/x"}},
                  .body = {"head\r\n", FileRange{file.fd(), 0, 400'000},
                           FileRange{file.fd(), 500'000, 200'000}, "\r\ntail"}}));
    const Received& seen = server.received().back();
    EXPECT_EQ(seen.method, method);
    EXPECT_EQ(seen.body,
              "head\r\n" + bytes.substr(0, 400'000) + bytes.substr(500'000) + "\r\ntail");
    EXPECT_NE(seen.head.find("Content-Type: text/x\r\n"), std::string::npos);
    EXPECT_EQ(seen.head.find("Expect"), std::string::npos);
    EXPECT_EQ(seen.head.find("Transfer-Encoding"), std::string::npos);
  }
}

TEST_F(CurlClientTest, AnEmptyBodyHasAContentLengthOnlyWherePeopleExpectOne) {
  LoopbackServer server(loop_, [](const Received&) { return answer(200); });
  for (const std::string method : {"PUT", "POST", "GET", "DELETE"}) {
    response(ask({.method = method, .url = server.url()}));
    const Received& seen = server.received().back();
    EXPECT_EQ(seen.method, method);
    const bool has_length = seen.head.find("Content-Length: 0\r\n") != std::string::npos;
    EXPECT_EQ(has_length, method == "PUT" || method == "POST") << seen.head;
  }
  EXPECT_EQ(server.accepted(), 1);  // the connection was kept
}

TEST_F(CurlClientTest, ManyRequestsShareFewConnections) {
  LoopbackServer server(loop_, [](const Received& r) { return answer(200, r.body); });
  std::vector<std::unique_ptr<Exchange>> exchanges;
  int right = 0;
  int ended = 0;
  for (int i = 0; i < 40; ++i) {
    const std::string body = pattern(1000 + static_cast<std::size_t>(i) * 997);
    exchanges.push_back(client_.start({.method = "POST", .url = server.url(), .body = {body}},
                                      [&, body](const Reply& reply) {
                                        right += response(reply).body == body ? 1 : 0;
                                        ++ended;
                                      }));
  }
  run_until([&] { return ended == 40; });
  EXPECT_EQ(right, 40);
  EXPECT_EQ(server.received().size(), 40U);
  EXPECT_LE(server.accepted(), 4);
}

TEST_F(CurlClientTest, A308IsAnAnswerAndNotFollowed) {
  LoopbackServer server(loop_, [](const Received&) {
    return answer(308, "", "Location: http://127.0.0.1:1/\r\nRange: bytes=0-9\r\n");
  });
  const Response got =
      response(ask({.method = "PUT", .url = server.url(), .body = {"0123456789abcdef"}}));
  EXPECT_EQ(got.status, 308);
  EXPECT_EQ(find_header(got.headers, "range"), "bytes=0-9");
  EXPECT_EQ(server.received().size(), 1U);
}

TEST_F(CurlClientTest, HeadersOfAnInterimAnswerAreDropped) {
  LoopbackServer server(loop_, [](const Received&) {
    Answer reply = answer(200, "ok", "X-Final: yes\r\n");
    reply.bytes.insert(0, "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n");
    return reply;
  });
  const Response got = response(ask({.url = server.url()}));
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(find_header(got.headers, "link"), std::nullopt);
  EXPECT_EQ(find_header(got.headers, "x-final"), "yes");
}

TEST_F(CurlClientTest, ADestroyedExchangeIsCancelledAndItsDoneNeverComes) {
  LoopbackServer server(loop_, [](const Received&) { return answer(200); });
  server.stop_reading_after_head = true;
  bool head_came = false;
  server.on_head = [&] { head_came = true; };
  bool called = false;
  auto exchange =
      client_.start({.method = "PUT", .url = server.url(), .body = {pattern(30'000'000)}},
                    [&](const Reply&) { called = true; });
  run_until([&] { return head_came; });
  exchange.reset();
  server.stop_reading_after_head = false;
  bool other = false;
  const auto next = client_.start({.url = server.url()},
                                  [&](const Reply& r) { other = response(r).status == 200; });
  run_until([&] { return other; });
  EXPECT_FALSE(called);
  EXPECT_EQ(server.accepted(), 2);  // a half-sent request can't be followed by another
}

TEST_F(CurlClientTest, ACancelledOneBeforeTheFirstTurnSendsNothing) {
  LoopbackServer server(loop_, [](const Received&) { return answer(200); });
  bool called = false;
  client_.start({.url = server.url("/cancelled")}, [&](const Reply&) { called = true; }).reset();
  response(ask({.url = server.url("/second")}));
  EXPECT_FALSE(called);
  ASSERT_EQ(server.received().size(), 1U);
  EXPECT_EQ(server.received()[0].target, "/second");
}

TEST_F(CurlClientTest, DoneMayDestroyItselfAndAnother) {
  LoopbackServer server(loop_, [](const Received&) { return answer(200); });
  std::unique_ptr<Exchange> first;
  std::unique_ptr<Exchange> second;
  int called = 0;
  const auto end_both = [&](const Reply&) {
    ++called;
    first.reset();
    second.reset();
  };
  first = client_.start({.url = server.url()}, end_both);
  second = client_.start({.url = server.url()}, end_both);
  run_until([&] { return called > 0; });
  response(ask({.url = server.url()}));  // the loop goes on well
  EXPECT_EQ(called, 1);
}

TEST_F(CurlClientTest, DoneMayStartTheNextRequest) {
  LoopbackServer server(loop_, [](const Received& r) { return answer(200, r.target); });
  std::unique_ptr<Exchange> exchange;
  std::string last;
  exchange = client_.start({.url = server.url("/1")}, [&](const Reply&) {
    exchange = client_.start({.url = server.url("/2")},
                             [&](const Reply& reply) { last = response(reply).body; });
  });
  run_until([&] { return !last.empty(); });
  EXPECT_EQ(last, "/2");
  EXPECT_EQ(server.accepted(), 1);
}

TEST_F(CurlClientTest, ARequestThatWaitedForAConnectionGetsTheOneOfACancelledRequest) {
  LoopbackServer server(
      loop_, [](const Received& r) { return r.target == "/stuck" ? Answer{} : answer(200); });
  std::vector<std::unique_ptr<Exchange>> stuck;
  for (int i = 0; i < 4; ++i) {
    stuck.push_back(client_.start({.url = server.url("/stuck"), .answer_timeout = 60s},
                                  [](const Reply&) { ADD_FAILURE(); }));
  }
  run_until([&] { return server.received().size() == 4; });
  bool done = false;
  // Waiting for a connection is not connecting: it isn't under the connect timeout.
  const auto waiting = client_.start({.url = server.url("/next"), .connect_timeout = 1s},
                                     [&](const Reply& r) { done = response(r).status == 200; });
  bool later = false;
  event::Timer timer(loop_, [&] { later = true; });
  timer.arm(1200ms);
  run_until([&] { return later; });
  EXPECT_FALSE(done);
  stuck.pop_back();
  run_until([&] { return done; });
}

TEST_F(CurlClientTest, AKeepAliveConnectionThatTheServerClosedIsReplaced) {
  LoopbackServer server(loop_, [](const Received&) { return answer(200); });
  response(ask({.url = server.url()}));
  server.close_all();
  const std::string body = pattern(300'000);
  EXPECT_EQ(response(ask({.method = "PUT", .url = server.url(), .body = {body}})).status, 200);
  EXPECT_EQ(server.received().back().body, body);
  EXPECT_EQ(server.accepted(), 2);
}

// The race: the server closes the idle connection when the next request is on its way.
TEST_F(CurlClientTest, ARequestThatMetAClosingConnectionIsSentAgainFromItsStart) {
  int on_first = 0;
  LoopbackServer server(loop_, [&](const Received& r) {
    return r.connection == 1 && ++on_first == 2 ? Answer{"", true} : answer(200);
  });
  response(ask({.url = server.url()}));
  const std::string bytes = pattern(300'000);
  const TempFile file(bytes);
  EXPECT_EQ(response(ask({.method = "PUT",
                          .url = server.url(),
                          .body = {"head", FileRange{file.fd(), 0, bytes.size()}}}))
                .status,
            200);
  EXPECT_EQ(server.received().back().connection, 2);
  EXPECT_EQ(server.received().back().body, "head" + bytes);
}

TEST_F(CurlClientTest, AFreshConnectionIsHadOnDemandAndKept) {
  LoopbackServer server(loop_, [](const Received&) { return answer(200); });
  response(ask({.url = server.url()}));
  response(ask({.url = server.url(), .fresh_connection = true}));
  EXPECT_EQ(server.received().back().connection, 2);
  EXPECT_EQ(server.open(), 2U) << "the first one stays, too";
  response(ask({.url = server.url()}));
  EXPECT_EQ(server.accepted(), 2);
}

TEST_F(CurlClientTest, ABreakOnAReusedConnectionSaysSo) {
  int on_first = 0;
  LoopbackServer server(loop_, [&](const Received&) {
    return ++on_first == 2 ? Answer{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", true}
                           : answer(200);
  });
  response(ask({.url = server.url()}));
  EXPECT_TRUE(fail({.url = server.url()}).reused_connection);
  EXPECT_FALSE(server.received().empty());
}

TEST_F(CurlClientTest, NothingIsActiveOnTheLoopOnceAllIsAnswered) {
  auto server =
      std::make_unique<LoopbackServer>(loop_, [](const Received&) { return answer(200); });
  response(ask({.method = "PUT", .url = server->url(), .body = {"x"}}));
  fail({.url = server->url(), .headers = {{"A", "\n"}}});
  server.reset();  // what it watched would keep the loop busy
  guard_.disarm();
  loop_.run();  // returns only when no timer is armed and no fd is watched
  EXPECT_EQ(uv_loop_alive(loop_.raw()), 0);
}

TEST_F(CurlClientTest, SocketsAreNotInheritedByChildren) {
  LoopbackServer server(loop_, [](const Received&) { return Answer{}; });
  const auto exchange = client_.start({.url = server.url()}, [](const Reply&) {});
  run_until([&] { return server.received().size() == 1; });
  int sockets = 0;
  for (int fd = 3; fd < 256; ++fd) {
    sockaddr_in peer{};
    socklen_t length = sizeof peer;
    if (::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &length) != 0) continue;
    if (peer.sin_family != AF_INET) continue;
    ++sockets;
    EXPECT_NE(::fcntl(fd, F_GETFD) & FD_CLOEXEC, 0) << fd;
  }
  EXPECT_EQ(sockets, 2);  // both ends are in this process
}

TEST(CurlClient, CanBeDestroyedWithIdleConnectionsAndNoLoopTurn) {
  event::Loop loop;
  LoopbackServer server(loop, [](const Received&) { return answer(200); });
  {
    CurlClient client(loop, {});
    bool done = false;
    const auto exchange = client.start({.url = server.url()}, [&](const Reply&) { done = true; });
    while (!done) uv_run(loop.raw(), UV_RUN_ONCE);
  }
  EXPECT_EQ(server.open(), 1U);
  bool closed = false;
  server.on_close = [&] { closed = true; };
  while (!closed) uv_run(loop.raw(), UV_RUN_ONCE);
}

}  // namespace
}  // namespace integcov::http
