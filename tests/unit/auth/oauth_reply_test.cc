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

TEST(ReadTokenReply, ShowsWhatGooglesApisSayAboutARefusal) {
  const auto refused = error(read(403, R"({"error":{"code":403,"status":"PERMISSION_DENIED",)"
                                       R"("message":"Permission 'x' denied."}})"));
  EXPECT_EQ(refused.message,
            "the server answered HTTP 403: PERMISSION_DENIED (Permission 'x' denied.)");
  EXPECT_FALSE(refused.retryable);
  EXPECT_TRUE(error(read(503, R"({"error":{"status":"UNAVAILABLE"}})")).retryable);
}

TokenReply read_impersonation(int status, std::string body) {
  return read_impersonation_reply({.status = status, .body = std::move(body)}, kNow + 3600s,
                                  "the server", std::vector<std::string>{"SECRET"});
}

TEST(ReadImpersonationReply, TakesATokenThatExpiresWhenTheServerSays) {
  const auto reply =
      read_impersonation(200, R"({"accessToken":"ya29.x","expireTime":"2027-01-15T08:30:00Z"})");
  ASSERT_TRUE(std::holds_alternative<Token>(reply));
  EXPECT_EQ(std::get<Token>(reply).access_token, "ya29.x");
  EXPECT_EQ(std::get<Token>(reply).expires, kNow + 1800s);
}

TEST(ReadImpersonationReply, AClockThatIsBehindDoesNotLengthenItsLife) {
  const auto reply =
      read_impersonation(200, R"({"accessToken":"t","expireTime":"2027-01-15T12:00:00Z"})");
  ASSERT_TRUE(std::holds_alternative<Token>(reply));
  EXPECT_EQ(std::get<Token>(reply).expires, kNow + 3600s);
}

TEST(ReadImpersonationReply, SaysWhatIsMissingOrRefused) {
  const std::string start = "the server answered ";
  EXPECT_EQ(error(read_impersonation(200, "[]")).message, start + "without a JSON object");
  EXPECT_EQ(error(read_impersonation(200, R"({"accessToken":"a b"})")).message,
            start + "without a usable accessToken");
  EXPECT_EQ(error(read_impersonation(200, R"({"accessToken":"t","expireTime":"soon"})")).message,
            start + "without a usable expireTime");
  EXPECT_EQ(
      error(read_impersonation(403, R"({"error":{"status":"SECRET","message":"no"}})")).message,
      start + "HTTP 403: no");
}

}  // namespace
}  // namespace integcov::auth
