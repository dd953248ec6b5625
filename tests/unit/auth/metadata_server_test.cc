#include "auth/metadata_server.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "support/fake_http_client.h"

namespace integcov::auth {
namespace {

using namespace std::chrono_literals;

const WallTime kNow{1'800'000'000s};

struct MetadataServerTest : testing::Test {
  TokenReply ask(http::Reply with) {
    std::optional<TokenReply> reply;
    const auto fetch = source.fetch(kNow, [&](TokenReply r) { reply = std::move(r); });
    EXPECT_FALSE(reply);
    EXPECT_TRUE(client.deliver(std::move(with)));
    EXPECT_TRUE(reply);
    return reply.value_or(TokenError{});
  }
  TokenError fail(http::Reply with) { return std::get<TokenError>(ask(std::move(with))); }

  test::FakeHttpClient client;
  MetadataServer source{client, "169.254.169.254"};
};

TEST_F(MetadataServerTest, AsksForTheStorageScopeAndNeverThroughAProxy) {
  const auto reply = ask(http::Response{
      200, {}, R"({"access_token":"ya29.SECRET","expires_in":1799,"token_type":"Bearer"})"});
  EXPECT_EQ(std::get<Token>(reply).access_token, "ya29.SECRET");
  EXPECT_EQ(std::get<Token>(reply).expires, kNow + 1799s);

  const auto& request = client.requests.at(0);
  EXPECT_EQ(request.method, "GET");
  EXPECT_EQ(request.url,
            "http://169.254.169.254/computeMetadata/v1/instance/service-accounts/default/token"
            "?scopes=https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fdevstorage.read_write");
  EXPECT_EQ(http::find_header(request.headers, "Metadata-Flavor"), "Google");
  EXPECT_FALSE(request.through_proxy);
}

TEST_F(MetadataServerTest, UnreachableItSaysWhatToDo) {
  const auto error = fail(http::TransportError{
      .message = "cannot connect to 169.254.169.254:80 within 2 s", .maybe_sent = false});
  EXPECT_EQ(error.message,
            "no metadata server at 169.254.169.254 (cannot connect to 169.254.169.254:80 within 2 "
            "s): not on Google Cloud? set GOOGLE_APPLICATION_CREDENTIALS");
  EXPECT_TRUE(error.retryable);  // it may refuse in a pod's first seconds
}

TEST_F(MetadataServerTest, ASilentOneIsThereAllTheSame) {
  const auto error = fail(http::TransportError{.message = "no byte for 4 s"});
  EXPECT_EQ(error.message, "no answer of the metadata server at 169.254.169.254: no byte for 4 s");
}

TEST_F(MetadataServerTest, NoServiceAccountIsPermanent) {
  const auto error = fail(http::Response{404, {}, "not found"});
  EXPECT_EQ(error.message,
            "the metadata server at 169.254.169.254 knows no service account (HTTP 404): attach "
            "one, or set GOOGLE_APPLICATION_CREDENTIALS");
  EXPECT_FALSE(error.retryable);
}

TEST_F(MetadataServerTest, TroublePassesAndARefusalDoesNot) {
  EXPECT_TRUE(fail(http::Response{503, {}, ""}).retryable);
  EXPECT_TRUE(fail(http::Response{429, {}, ""}).retryable);
  EXPECT_FALSE(fail(http::Response{403, {}, ""}).retryable);
  EXPECT_EQ(fail(http::Response{500, {}, ""}).message,
            "the metadata server at 169.254.169.254 answered HTTP 500");
}

TEST_F(MetadataServerTest, AnotherUniverseIsLookedUpOnceBeforeTheFirstToken) {
  MetadataServer elsewhere(client, "metadata", "apis.example");
  const auto token = http::Response{200, {}, R"({"access_token":"t","expires_in":1799})"};
  std::vector<TokenReply> replies;
  auto fetch = elsewhere.fetch(kNow, [&](TokenReply r) { replies.push_back(std::move(r)); });
  EXPECT_EQ(client.requests.at(0).url,
            "http://metadata/computeMetadata/v1/universe/universe-domain");
  EXPECT_EQ(http::find_header(client.requests.at(0).headers, "Metadata-Flavor"), "Google");
  EXPECT_FALSE(client.requests.at(0).through_proxy);
  client.deliver(200, "apis.example");
  EXPECT_TRUE(replies.empty());
  client.deliver(token);
  ASSERT_EQ(replies.size(), 1U);
  EXPECT_EQ(std::get<Token>(replies[0]).access_token, "t");

  fetch = elsewhere.fetch(kNow, [&](TokenReply r) { replies.push_back(std::move(r)); });
  client.deliver(token);
  EXPECT_EQ(replies.size(), 2U);
  EXPECT_EQ(client.requests.size(), 3U);
}

TEST_F(MetadataServerTest, AWrongUniverseIsPermanentAndTroubleIsNot) {
  MetadataServer elsewhere(client, "metadata", "apis.example");
  const auto ask_there = [&](http::Reply with) {
    std::optional<TokenReply> reply;
    const auto fetch = elsewhere.fetch(kNow, [&](TokenReply r) { reply = std::move(r); });
    client.deliver(std::move(with));
    return reply ? std::get<TokenError>(*reply) : TokenError{"nothing", true};
  };
  for (const int status : {404, 200}) {
    const auto error = ask_there(http::Response{status, {}, "googleapis.com"});
    EXPECT_EQ(error.message,
              "the metadata server at metadata belongs to the universe googleapis.com, but "
              "GOOGLE_CLOUD_UNIVERSE_DOMAIN is apis.example");
    EXPECT_FALSE(error.retryable);
  }
  EXPECT_TRUE(ask_there(http::Response{503, {}, ""}).retryable);
  EXPECT_TRUE(ask_there(http::TransportError{.message = "no", .maybe_sent = false}).retryable);
  EXPECT_EQ(client.requests.size(), 4U);  // and no token was asked for
}

TEST_F(MetadataServerTest, ADestroyedFetchIsCancelled) {
  auto fetch = source.fetch(kNow, [](const TokenReply&) { ADD_FAILURE(); });
  EXPECT_EQ(client.in_flight(), 1U);
  fetch.reset();
  EXPECT_EQ(client.in_flight(), 0U);
}

TEST_F(MetadataServerTest, DoneMayDestroyTheFetch) {
  std::unique_ptr<Fetch> fetch;
  int called = 0;
  fetch = source.fetch(kNow, [&](const TokenReply&) {
    ++called;
    fetch.reset();
  });
  client.deliver(503);
  EXPECT_EQ(called, 1);
}

}  // namespace
}  // namespace integcov::auth
