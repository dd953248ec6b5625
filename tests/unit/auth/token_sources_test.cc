// The sources that stand on others: token exchange and impersonation, as make_token_source() puts
// them together.
#include "auth/token_sources.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <memory>
#include <optional>
#include <string>

#include "auth/impersonated_source.h"
#include "auth/json.h"
#include "auth/sts_source.h"
#include "base/encoding.h"
#include "support/fake_http_client.h"

namespace integcov::auth {
namespace {

using namespace std::chrono_literals;

const WallTime kNow{1'800'000'000s};
const std::string kImpersonation = "https://iamcredentials.googleapis.com/v1/x:generateAccessToken";
const std::string kStorage = percent_encode(kStorageScope);
const std::string kCloud = percent_encode(kCloudScope);

ExternalAccount external() {
  return {.audience = "//iam.googleapis.com/pool",
          .subject_token_type = "urn:ietf:params:oauth:token-type:jwt",
          .token_uri = "https://sts.googleapis.com/v1/token",
          .subject = {.url = "https://idp.example/token"}};
}

struct TokenSourcesTest : testing::Test {
  void start(const Credentials& credentials) {
    fetch.reset();  // before its source
    reply.reset();
    source = make_token_source(loop, client, credentials);
    fetch = source->fetch(kNow, [this](TokenReply r) { reply = std::move(r); });
    EXPECT_FALSE(reply) << "done was called from inside fetch()";
  }
  void start(ExternalAccount account) { start({.account = std::move(account)}); }
  [[nodiscard]] const http::Request& last() const { return client.requests.back(); }
  [[nodiscard]] std::string body() const { return test::body_text(last()); }
  void grant(const std::string& token) {
    client.deliver(
        200, R"({"access_token":")" + token + R"(","expires_in":3599,"token_type":"Bearer"})");
  }

  event::Loop loop;
  test::FakeHttpClient client;
  std::unique_ptr<TokenSource> source;
  std::unique_ptr<Fetch> fetch;
  std::optional<TokenReply> reply;
};

TEST_F(TokenSourcesTest, AnExternalAccountExchangesTheSubjectToken) {
  start(external());
  EXPECT_EQ(last().url, "https://idp.example/token");
  client.deliver(200, "eyJ.subject");
  EXPECT_FALSE(reply);
  EXPECT_EQ(last().method, "POST");
  EXPECT_EQ(last().url, "https://sts.googleapis.com/v1/token");
  EXPECT_EQ(http::find_header(last().headers, "Authorization"), std::nullopt);
  EXPECT_TRUE(last().through_proxy);
  EXPECT_EQ(body(),
            "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange"
            "&audience=%2F%2Fiam.googleapis.com%2Fpool&scope=" +
                kStorage +
                "&requested_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token"
                "&subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Ajwt"
                "&subject_token=eyJ.subject");
  grant("ya29.x");
  ASSERT_TRUE(reply);
  EXPECT_EQ(std::get<Token>(*reply).access_token, "ya29.x");
  EXPECT_EQ(std::get<Token>(*reply).expires, kNow + 3599s);
}

TEST_F(TokenSourcesTest, AClientIdComesAsBasicAuthenticationAndReplacesTheUserProject) {
  ExternalAccount account = external();
  account.user_project = "payer";
  start(account);
  client.deliver(200, "s");
  EXPECT_TRUE(body().ends_with("&options=%7B%22userProject%22%3A%22payer%22%7D")) << body();

  account.client_id = "id";
  account.client_secret = "se:cret";
  start(account);
  client.deliver(200, "s");
  EXPECT_EQ(http::find_header(last().headers, "Authorization"),
            "Basic " + base64_encode("id:se:cret"));
  EXPECT_EQ(body().find("options="), std::string::npos);
}

TEST_F(TokenSourcesTest, AnExternalAccountMayImpersonate) {
  ExternalAccount account = external();
  account.impersonation_url = kImpersonation;
  account.impersonation_lifetime = 1200;
  start(account);
  client.deliver(200, "s");
  EXPECT_NE(body().find("&scope=" + kCloud + '&'), std::string::npos) << body();
  grant("federated");
  EXPECT_FALSE(reply);
  EXPECT_EQ(last().url, kImpersonation);
  EXPECT_EQ(http::find_header(last().headers, "Authorization"), "Bearer federated");
  EXPECT_EQ(body(), R"({"scope":[")" + std::string(kStorageScope) + R"("],"lifetime":"1200s"})");
  client.deliver(200, R"({"accessToken":"ya29.sa","expireTime":"2027-01-15T08:20:00Z"})");
  ASSERT_TRUE(reply);
  EXPECT_EQ(std::get<Token>(*reply).access_token, "ya29.sa");
  EXPECT_EQ(std::get<Token>(*reply).expires, kNow + 1200s);
}

TEST_F(TokenSourcesTest, AnImpersonatedAccountUsesItsSourceAndDelegates) {
  start({.account = ImpersonatedAccount{.source = AuthorizedUser{.client_id = "id",
                                                                 .client_secret = "s",
                                                                 .refresh_token = "r",
                                                                 .token_uri = "https://h/token"},
                                        .url = kImpersonation,
                                        .delegates = {"a@p", "projects/-/serviceAccounts/b@p"}}});
  EXPECT_EQ(last().url, "https://h/token");
  grant("persons");
  EXPECT_EQ(http::find_header(last().headers, "Authorization"), "Bearer persons");
  const auto object = JsonObject::parse(body());
  ASSERT_TRUE(object) << body();
  EXPECT_EQ(object->strings("delegates"),
            (std::vector<std::string>{"projects/-/serviceAccounts/a@p",
                                      "projects/-/serviceAccounts/b@p"}));
  EXPECT_EQ(object->string("lifetime"), "3600s");
}

TEST_F(TokenSourcesTest, TheFirstFailureEndsItWithItsOwnWords) {
  start(external());
  client.deliver(http::TransportError{.message = "cannot connect", .retryable = true});
  ASSERT_TRUE(reply);
  EXPECT_EQ(std::get<TokenError>(*reply).message, "cannot connect");
  EXPECT_TRUE(std::get<TokenError>(*reply).retryable);
  EXPECT_EQ(client.requests.size(), 1U);
}

TEST_F(TokenSourcesTest, ServersThatEchoSecretsDoNotBringThemIntoTheLog) {
  ExternalAccount account = external();
  account.impersonation_url = kImpersonation;
  account.client_id = "id";
  account.client_secret = "CLIENT/SECRET";
  for (const std::string& secret : {std::string("SUBJECT"), std::string("CLIENT%2FSECRET"),
                                    account.client_secret, base64_encode("id:CLIENT/SECRET")}) {
    start(account);
    client.deliver(200, "SUBJECT");
    client.deliver(400, R"({"error":"invalid_grant","error_description":"bad )" + secret + "\"}");
    ASSERT_TRUE(reply);
    EXPECT_EQ(std::get<TokenError>(*reply).message,
              "the token server sts.googleapis.com answered HTTP 400: invalid_grant");
    EXPECT_FALSE(std::get<TokenError>(*reply).retryable);
  }
  start(account);
  client.deliver(200, "SUBJECT");
  grant("FEDERATED");
  client.deliver(403, R"({"error":{"status":"PERMISSION_DENIED","message":"no FEDERATED"}})");
  EXPECT_EQ(std::get<TokenError>(*reply).message,
            "the impersonation server iamcredentials.googleapis.com answered HTTP 403: "
            "PERMISSION_DENIED");
}

TEST_F(TokenSourcesTest, ADestroyedFetchIsCancelledAtEachStep) {
  start(external());
  fetch.reset();
  EXPECT_EQ(client.in_flight(), 0U);
  start(external());
  client.deliver(200, "s");
  EXPECT_EQ(client.in_flight(), 1U);
  fetch.reset();
  EXPECT_EQ(client.in_flight(), 0U);
  EXPECT_FALSE(reply);
}

TEST_F(TokenSourcesTest, DoneMayDestroyTheFetchAtEachStep) {
  source = make_token_source(loop, client, {.account = external()});
  int called = 0;
  const auto done = [&](const TokenReply&) {
    ++called;
    fetch.reset();
  };
  fetch = source->fetch(kNow, done);
  client.deliver(503);
  EXPECT_EQ(called, 1);
  fetch = source->fetch(kNow, done);
  client.deliver(200, "s");
  client.deliver(503);
  EXPECT_EQ(called, 2);
}

std::string new_key() {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_RSA_gen(2048), &EVP_PKEY_free);
  const std::unique_ptr<BIO, decltype(&BIO_free_all)> bio(BIO_new(BIO_s_mem()), &BIO_free_all);
  PEM_write_bio_PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string claims_of(const std::string& jwt) {
  const auto first = jwt.find('.');
  std::string text = jwt.substr(first + 1, jwt.rfind('.') - first - 1);
  for (char& c : text) c = c == '-' ? '+' : c == '_' ? '/' : c;
  text.append((4 - text.size() % 4) % 4, '=');
  return base64_decode(text).value_or("not base64");
}

TEST_F(TokenSourcesTest, AServiceAccountOfAnotherUniverseAsksNobody) {
  const ServiceAccountKey key{.client_email = "a@b", .private_key = new_key(), .token_uri = "x"};
  start({.account = key, .universe = "apis.example"});
  loop.run();
  ASSERT_TRUE(reply);
  EXPECT_TRUE(client.requests.empty());
  EXPECT_NE(claims_of(std::get<Token>(*reply).access_token)
                .find(R"("aud":"https://storage.apis.example/")"),
            std::string::npos);

  start({.account = ImpersonatedAccount{.source = key, .url = kImpersonation, .delegates = {}},
         .universe = "apis.example"});
  loop.run();
  const std::string bearer(
      http::find_header(client.requests.at(0).headers, "Authorization").value_or(""));
  EXPECT_NE(claims_of(bearer).find(R"("aud":"https://iamcredentials.apis.example/")"),
            std::string::npos);
}

}  // namespace
}  // namespace integcov::auth
