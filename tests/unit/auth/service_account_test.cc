#include "auth/service_account.h"

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <memory>
#include <optional>
#include <string>

#include "auth/json.h"
#include "auth/rs256.h"
#include "base/encoding.h"
#include "support/fake_http_client.h"

namespace integcov::auth {
namespace {

using namespace std::chrono_literals;

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

Key rsa_key() { return {EVP_RSA_gen(2048), &EVP_PKEY_free}; }

std::string to_pem(EVP_PKEY* key, const char* passphrase = nullptr) {
  const std::unique_ptr<BIO, decltype(&BIO_free_all)> bio(BIO_new(BIO_s_mem()), &BIO_free_all);
  PEM_write_bio_PrivateKey(bio.get(), key, passphrase != nullptr ? EVP_aes_128_cbc() : nullptr,
                           nullptr, 0, nullptr, const_cast<char*>(passphrase));
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

bool verifies(EVP_PKEY* key, const std::string& text, const std::string& signature) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        &EVP_MD_CTX_free);
  EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key);
  return EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char*>(signature.data()),
                          signature.size(), reinterpret_cast<const unsigned char*>(text.data()),
                          text.size()) == 1;
}

std::string from_base64url(std::string text) {
  for (char& c : text) c = c == '-' ? '+' : c == '_' ? '/' : c;
  text.append((4 - text.size() % 4) % 4, '=');
  return base64_decode(text).value_or("not base64");
}

struct ServiceAccountTest : testing::Test {
  std::optional<TokenReply> ask(ServiceAccountKey with, http::Reply answer) {
    ServiceAccountSource source(loop, client, std::move(with));
    std::optional<TokenReply> reply;
    const auto fetch = source.fetch(now, [&](TokenReply r) { reply = std::move(r); });
    EXPECT_FALSE(reply) << "done was called from inside fetch()";
    if (!client.deliver(std::move(answer))) loop.run();
    return reply;
  }

  const WallTime now{1'800'000'000s + 999ms};
  const Key pair = rsa_key();
  const ServiceAccountKey key{.client_email = "ci@project.iam.gserviceaccount.com",
                              .private_key_id = "0123abcd",
                              .private_key = to_pem(pair.get()),
                              .token_uri = "https://oauth2.googleapis.com/token"};
  event::Loop loop;
  test::FakeHttpClient client;
};

TEST_F(ServiceAccountTest, TheAssertionIsSignedAndCarriesTheClaims) {
  const auto assertion = make_assertion(key, now);
  ASSERT_TRUE(assertion.ok()) << assertion.message();
  const auto first = assertion->find('.');
  const auto second = assertion->rfind('.');
  ASSERT_LT(first, second);
  EXPECT_TRUE(verifies(pair.get(), assertion->substr(0, second),
                       from_base64url(assertion->substr(second + 1))));
  EXPECT_FALSE(verifies(pair.get(), assertion->substr(1, second - 1),
                        from_base64url(assertion->substr(second + 1))));
  EXPECT_EQ(from_base64url(assertion->substr(0, first)),
            R"({"alg":"RS256","typ":"JWT","kid":"0123abcd"})");

  const auto claims =
      JsonObject::parse(from_base64url(assertion->substr(first + 1, second - first - 1)));
  ASSERT_TRUE(claims);
  EXPECT_EQ(claims->string("iss"), "ci@project.iam.gserviceaccount.com");
  EXPECT_EQ(claims->string("scope"), "https://www.googleapis.com/auth/devstorage.read_write");
  EXPECT_EQ(claims->string("aud"), "https://oauth2.googleapis.com/token");
  EXPECT_EQ(claims->integer("iat"), 1'799'999'990);
  EXPECT_EQ(claims->integer("exp"), 1'800'003'590);
}

TEST_F(ServiceAccountTest, AKeyWithoutAnIdLeavesItOut) {
  ServiceAccountKey nameless = key;
  nameless.private_key_id.clear();
  const auto assertion = make_assertion(nameless, now);
  ASSERT_TRUE(assertion.ok());
  EXPECT_EQ(from_base64url(assertion->substr(0, assertion->find('.'))),
            R"({"alg":"RS256","typ":"JWT"})");
}

TEST_F(ServiceAccountTest, ExchangesTheAssertionForAToken) {
  const auto reply =
      ask(key, http::Response{200, {}, R"({"access_token":"ya29.x","expires_in":3599})"});
  ASSERT_TRUE(reply);
  EXPECT_EQ(std::get<Token>(*reply).access_token, "ya29.x");
  EXPECT_EQ(std::get<Token>(*reply).expires, now + 3599s);
  const auto& request = client.requests.at(0);
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.url, "https://oauth2.googleapis.com/token");
  EXPECT_EQ(test::body_text(request),
            "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=" +
                *make_assertion(key, now));  // PKCS #1 v1.5 signatures are deterministic
}

TEST_F(ServiceAccountTest, ARefusalIsPermanentAndServerTroublePasses) {
  const auto refused =
      ask(key, http::Response{400, {}, R"({"error":"invalid_grant","error_description":"Bad."})"});
  EXPECT_EQ(std::get<TokenError>(*refused).message,
            "the token server oauth2.googleapis.com answered HTTP 400: invalid_grant (Bad.)");
  EXPECT_FALSE(std::get<TokenError>(*refused).retryable);
  EXPECT_TRUE(std::get<TokenError>(*ask(key, http::Response{503, {}, ""})).retryable);
}

TEST_F(ServiceAccountTest, AServerThatEchoesTheAssertionDoesNotBringItIntoTheLog) {
  const std::string assertion = *make_assertion(key, now);
  const auto reply = ask(key, http::Response{400,
                                             {},
                                             R"({"error":")" + assertion.substr(0, 50) +
                                                 R"(","error_description":")" + assertion + "\"}"});
  EXPECT_EQ(std::get<TokenError>(*reply).message.find(assertion), std::string::npos);
}

TEST_F(ServiceAccountTest, AnUnusableKeyFailsForGoodFromTheLoopAndSendsNothing) {
  ServiceAccountKey broken = key;
  broken.private_key = "-----BEGIN PRIVATE KEY-----\nMAMCAQU=\n-----END PRIVATE KEY-----\n";
  const auto reply = ask(broken, http::Response{200, {}, ""});
  ASSERT_TRUE(reply);
  EXPECT_EQ(std::get<TokenError>(*reply).message,
            "the credentials of the service account are unusable: the private key cannot be "
            "decoded");
  EXPECT_FALSE(std::get<TokenError>(*reply).retryable);
  EXPECT_TRUE(client.requests.empty());
  EXPECT_EQ(ERR_peek_error(), 0UL);  // nothing is left for a TLS call to stumble over
}

TEST_F(ServiceAccountTest, ADestroyedFetchOfAnUnusableKeyNeverCalls) {
  ServiceAccountSource source(loop, client, {.private_key = "none"});
  source.fetch(now, [](const TokenReply&) { ADD_FAILURE(); }).reset();
  loop.run();
}

TEST_F(ServiceAccountTest, TheScopeIsTheOneAskedFor) {
  const auto assertion = make_assertion(key, now, kCloudScope);
  const auto first = assertion->find('.');
  const auto claims = JsonObject::parse(
      from_base64url(assertion->substr(first + 1, assertion->rfind('.') - first - 1)));
  ASSERT_TRUE(claims);
  EXPECT_EQ(claims->string("scope"), "https://www.googleapis.com/auth/cloud-platform");
}

TEST_F(ServiceAccountTest, InOtherUniversesTheKeySignsTheTokenItself) {
  SelfSignedSource source(loop, key, "https://storage.apis.example/");
  std::optional<TokenReply> reply;
  const auto fetch = source.fetch(now, [&](TokenReply r) { reply = std::move(r); });
  EXPECT_FALSE(reply) << "done was called from inside fetch()";
  loop.run();
  ASSERT_TRUE(reply);
  const auto& token = std::get<Token>(*reply);
  EXPECT_EQ(token.expires, now + 3590s);
  EXPECT_TRUE(client.requests.empty());

  const std::string& jwt = token.access_token;
  const auto first = jwt.find('.');
  const auto second = jwt.rfind('.');
  EXPECT_TRUE(verifies(pair.get(), jwt.substr(0, second), from_base64url(jwt.substr(second + 1))));
  const auto claims = JsonObject::parse(from_base64url(jwt.substr(first + 1, second - first - 1)));
  ASSERT_TRUE(claims);
  EXPECT_EQ(claims->string("iss"), key.client_email);
  EXPECT_EQ(claims->string("sub"), key.client_email);
  EXPECT_EQ(claims->string("aud"), "https://storage.apis.example/");
  EXPECT_FALSE(claims->has("scope"));  // storage refuses self-signed tokens that have one
  EXPECT_EQ(claims->integer("exp"), *claims->integer("iat") + 3600);
}

TEST(SignRs256, RefusesOtherKeysAndNeverAsksForAPassphrase) {
  const Key curve(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"), &EVP_PKEY_free);
  EXPECT_EQ(sign_rs256(to_pem(curve.get()), "x").message(), "the private key is not an RSA key");
  const Key rsa = rsa_key();
  EXPECT_EQ(sign_rs256(to_pem(rsa.get(), "passphrase"), "x").message(),
            "the private key cannot be decoded");
  EXPECT_EQ(sign_rs256("", "x").message(), "the private key cannot be decoded");
}

}  // namespace
}  // namespace integcov::auth
