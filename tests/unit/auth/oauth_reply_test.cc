#include "auth/oauth_reply.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace integcov::auth {
namespace {

using namespace std::chrono_literals;

const WallTime kNow{1'800'000'000s};

TokenReply read(int status, std::string body, const std::vector<std::string>& secrets = {}) {
  return read_token_reply({.status = status, .body = std::move(body)}, kNow, "the server", secrets);
}
TokenError error(const TokenReply& reply) {
  const auto* found = std::get_if<TokenError>(&reply);
  EXPECT_NE(found, nullptr);
  return found != nullptr ? *found : TokenError{};
}

TEST(ReadTokenReply, TakesATokenThatCountsFromTheRequest) {
  const auto reply =
      read(200, R"({"access_token":"ya29.SECRET","expires_in":3599,"token_type":"Bearer"})");
  ASSERT_TRUE(std::holds_alternative<Token>(reply));
  EXPECT_EQ(std::get<Token>(reply).access_token, "ya29.SECRET");
  EXPECT_EQ(std::get<Token>(reply).expires, kNow + 3599s);
}

TEST(ReadTokenReply, AnAbsurdLifetimeIsCut) {
  const auto reply = read(200, R"({"access_token":"t","expires_in":9223372036854775807})");
  ASSERT_TRUE(std::holds_alternative<Token>(reply));
  EXPECT_EQ(std::get<Token>(reply).expires, kNow + 365 * 24h);
}

TEST(ReadTokenReply, SaysWhatIsMissingAndNeverShowsTheToken) {
  const struct {
    const char* body;
    const char* missing;
  } cases[] = {
      {"", "a JSON object"},
      {"<html>ya29.SECRET</html>", "a JSON object"},
      {R"({"expires_in":1})", "a usable access_token"},
      {R"({"access_token":"","expires_in":1})", "a usable access_token"},
      {R"({"access_token":"ya29.SECRET\r\nX: y","expires_in":1})", "a usable access_token"},
      {R"({"access_token":"ya29.SECRET"})", "a usable expires_in"},
      {R"({"access_token":"ya29.SECRET","expires_in":"3599"})", "a usable expires_in"},
      {R"({"access_token":"ya29.SECRET","expires_in":0})", "a usable expires_in"},
      {R"({"access_token":"ya29.SECRET","expires_in":-5})", "a usable expires_in"},
      {R"({"access_token":"ya29.SECRET","expires_in":9,"token_type":"MAC"})",
       "a token of the type Bearer"},
  };
  for (const auto& one : cases) {
    const TokenError found = error(read(200, one.body));
    EXPECT_EQ(found.message, std::string("the server answered without ") + one.missing);
    EXPECT_TRUE(found.retryable);
  }
}

TEST(ReadTokenReply, ShowsWhatTheServerSaysAboutARefusal) {
  const auto refused =
      error(read(400, R"({"error":"invalid_grant","error_description":"Invalid JWT Signature."})"));
  EXPECT_EQ(refused.message,
            "the server answered HTTP 400: invalid_grant (Invalid JWT Signature.)");
  EXPECT_FALSE(refused.retryable);
  EXPECT_EQ(error(read(401, R"({"error_description":"why"})")).message,
            "the server answered HTTP 401: why");
  EXPECT_EQ(error(read(403, "<html>")).message, "the server answered HTTP 403");
}

TEST(ReadTokenReply, ServerTroublePasses) {
  for (const int status : {408, 429, 500, 502, 503, 504})
    EXPECT_TRUE(error(read(status, "")).retryable) << status;
  for (const int status : {201, 204, 301, 400, 401, 403, 404})
    EXPECT_FALSE(error(read(status, "")).retryable) << status;
  EXPECT_TRUE(error(read(400, R"({"error":"internal_failure"})")).retryable);
}

TEST(ReadTokenReply, KeepsSecretsControlCharactersAndLongTextsOut) {
  const std::string echo = R"({"error":"bad","error_description":"token 1//SECRET is bad"})";
  EXPECT_EQ(error(read(400, echo, {"", "1//SECRET"})).message, "the server answered HTTP 400: bad");
  EXPECT_EQ(error(read(400, R"({"error":"a\nb\u001b[1m"})")).message,
            "the server answered HTTP 400: a\\x0ab\\x1b[1m");
  const std::string text = R"({"error":")" + std::string(5000, 'x') + "\"}";
  EXPECT_EQ(error(read(400, text)).message, "the server answered HTTP 400");
}

}  // namespace
}  // namespace integcov::auth
