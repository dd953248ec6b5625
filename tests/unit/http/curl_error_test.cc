#include "http/curl_error.h"

#include <gtest/gtest.h>
#include <netinet/in.h>

#include <cerrno>

namespace integcov::http {
namespace {

Failure before_connecting() {
  return {.endpoint = "bucket.example:443", .connect_timeout = std::chrono::seconds(2)};
}

Failure while_sending(bool reused) {
  Failure failure = before_connecting();
  failure.sent = true;
  failure.reused = reused;
  return failure;
}

TEST(Describe, AConnectionThatNeverStoodSentNothingAndMayBeRetried) {
  Failure failure = before_connecting();
  failure.os_error = ECONNREFUSED;
  const auto refused = describe(CURLE_COULDNT_CONNECT, failure);
  EXPECT_EQ(refused.message, "cannot connect to bucket.example:443: Connection refused");
  EXPECT_TRUE(refused.retryable);
  EXPECT_FALSE(refused.maybe_sent);
  EXPECT_FALSE(refused.reused_connection);

  const auto unresolved = describe(CURLE_COULDNT_RESOLVE_HOST, before_connecting());
  EXPECT_EQ(unresolved.message, "cannot find the address of bucket.example:443");
  EXPECT_TRUE(unresolved.retryable);
  EXPECT_FALSE(unresolved.maybe_sent);

  const auto late = describe(CURLE_OPERATION_TIMEDOUT, before_connecting());
  EXPECT_EQ(late.message, "cannot connect to bucket.example:443 within 2 s");
}

TEST(Describe, ABreakAfterwardsMayHaveReachedTheServer) {
  for (const CURLcode code : {CURLE_SEND_ERROR, CURLE_RECV_ERROR, CURLE_GOT_NOTHING,
                              CURLE_PARTIAL_FILE, CURLE_WEIRD_SERVER_REPLY}) {
    const auto error = describe(code, while_sending(true));
    EXPECT_TRUE(error.retryable) << code;
    EXPECT_TRUE(error.maybe_sent) << code;
    EXPECT_TRUE(error.reused_connection) << code;
    EXPECT_FALSE(describe(code, while_sending(false)).reused_connection) << code;
  }
}

TEST(Describe, WhatCannotGetBetterIsPermanent) {
  Failure failure = before_connecting();
  failure.detail = "SSL certificate problem: certificate has expired";
  const auto untrusted = describe(CURLE_PEER_FAILED_VERIFICATION, failure);
  EXPECT_FALSE(untrusted.retryable);
  EXPECT_EQ(untrusted.message,
            "the certificate of bucket.example:443 is not trusted: SSL certificate problem: "
            "certificate has expired");
  EXPECT_FALSE(describe(CURLE_SSL_CACERT_BADFILE, failure).retryable);
  EXPECT_FALSE(describe(CURLE_UNSUPPORTED_PROTOCOL, failure).retryable);
  EXPECT_TRUE(describe(CURLE_UNSUPPORTED_PROTOCOL, while_sending(false)).retryable);  // no HTTP
  EXPECT_TRUE(describe(CURLE_SSL_CONNECT_ERROR, failure).retryable);
}

TEST(EndpointOf, NamesHostAndPortAndNothingElse) {
  EXPECT_EQ(endpoint_of("https://storage.googleapis.com/upload?upload_id=x"),
            "storage.googleapis.com:443");
  EXPECT_EQ(endpoint_of("http://localhost"), "localhost:80");
  EXPECT_EQ(endpoint_of("http://[::1]:8080/x"), "[::1]:8080");
  for (const char* bad : {"", "localhost", "ftp://host/", "file:///etc/passwd", "http://", "://"})
    EXPECT_EQ(endpoint_of(bad), "") << bad;
}

TEST(Describe, ShowsWhichAddressOfAHostDidNotAnswer) {
  Failure failure = before_connecting();
  failure.address = "10.0.0.5:3128";
  EXPECT_EQ(describe(CURLE_COULDNT_CONNECT, failure).message,
            "cannot connect to bucket.example:443 (10.0.0.5:3128)");
  failure.address = failure.endpoint;
  EXPECT_EQ(describe(CURLE_COULDNT_CONNECT, failure).message,
            "cannot connect to bucket.example:443");
}

TEST(AddressText, WritesBothFamiliesAndNothingElse) {
  sockaddr_in four{};
  four.sin_family = AF_INET;
  four.sin_port = htons(80);
  four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(address_text(reinterpret_cast<const sockaddr&>(four), sizeof four), "127.0.0.1:80");
  sockaddr_in6 six{};
  six.sin6_family = AF_INET6;
  six.sin6_port = htons(443);
  six.sin6_addr = in6addr_loopback;
  EXPECT_EQ(address_text(reinterpret_cast<const sockaddr&>(six), sizeof six), "[::1]:443");
  sockaddr local{};
  local.sa_family = AF_UNIX;
  EXPECT_EQ(address_text(local, sizeof local), "");
}

TEST(Human, WritesSecondsOrMilliseconds) {
  EXPECT_EQ(human(std::chrono::seconds(4)), "4 s");
  EXPECT_EQ(human(std::chrono::milliseconds(250)), "250 ms");
}

}  // namespace
}  // namespace integcov::http
