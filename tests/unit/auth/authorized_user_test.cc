#include "auth/authorized_user.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "support/fake_http_client.h"

namespace integcov::auth {
namespace {

using namespace std::chrono_literals;

const WallTime kNow{1'800'000'000s};

struct AuthorizedUserTest : testing::Test {
  TokenReply ask(http::Reply with) {
    std::optional<TokenReply> reply;
    const auto fetch = source.fetch(kNow, [&](TokenReply r) { reply = std::move(r); });
    client.deliver(std::move(with));
    return reply.value_or(TokenError{"done was not called"});
  }

  test::FakeHttpClient client;
  AuthorizedUserSource source{client,
                              {.client_id = "id&1",
                               .client_secret = "CLIENT-SECRET",
                               .refresh_token = "1//REFRESH-SECRET",
                               .token_uri = "https://tokens.example:8443/token?x=1"}};
};

TEST_F(AuthorizedUserTest, TradesTheRefreshTokenForAnAccessToken) {
  const auto reply = ask(http::Response{200, {}, R"({"access_token":"t","expires_in":3599})"});
  EXPECT_EQ(std::get<Token>(reply).access_token, "t");
  const auto& request = client.requests.at(0);
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.url, "https://tokens.example:8443/token?x=1");
  EXPECT_EQ(http::find_header(request.headers, "content-type"),
            "application/x-www-form-urlencoded");
  EXPECT_EQ(test::body_text(request),
            "grant_type=refresh_token&refresh_token=1%2F%2FREFRESH-SECRET&client_id=id%261"
            "&client_secret=CLIENT-SECRET");
  EXPECT_TRUE(request.through_proxy);
}

TEST_F(AuthorizedUserTest, ARevokedTokenIsPermanentAndNotShown) {
  const auto error = std::get<TokenError>(ask(http::Response{
      400,
      {},
      R"({"error":"invalid_grant","error_description":"1//REFRESH-SECRET has been revoked."})"}));
  EXPECT_EQ(error.message, "the token server tokens.example:8443 answered HTTP 400: invalid_grant");
  EXPECT_FALSE(error.retryable);
}

TEST_F(AuthorizedUserTest, ATransportErrorKeepsItsNature) {
  const auto error =
      std::get<TokenError>(ask(http::TransportError{.message = "not trusted", .retryable = false}));
  EXPECT_EQ(error.message, "not trusted");
  EXPECT_FALSE(error.retryable);
  EXPECT_TRUE(std::get<TokenError>(ask(http::TransportError{.message = "refused"})).retryable);
}

}  // namespace
}  // namespace integcov::auth
