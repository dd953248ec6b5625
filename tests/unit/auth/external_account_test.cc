#include "auth/external_account.h"

#include <gtest/gtest.h>

#include <string>

#include "auth/credentials.h"

namespace integcov::auth {
namespace {

const std::string kAudience =
    "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q";

std::string file(const std::string& source, const std::string& more = "") {
  return R"({"type":"external_account","audience":")" + kAudience +
         R"(","subject_token_type":"urn:ietf:params:oauth:token-type:jwt")" +
         (source.empty() ? "" : R"(,"credential_source":)" + source) + more + '}';
}
const std::string kToken = R"({"file":"/var/run/token"})";

ExternalAccount account(const std::string& text) {
  const auto credentials = parse_credentials(text);
  EXPECT_TRUE(credentials.ok()) << credentials.message();
  return credentials.ok() ? std::get<ExternalAccount>(credentials->account) : ExternalAccount{};
}

std::string fault(const std::string& text) {
  const auto credentials = parse_credentials(text);
  if (credentials.ok()) return "fine";
  constexpr std::string_view kType = " (type external_account)";
  EXPECT_TRUE(credentials.message().ends_with(kType)) << credentials.message();
  return credentials.message().substr(0, credentials.message().size() - kType.size());
}

TEST(ExternalAccount, HasItsTokenInAFile) {
  const auto read = account(file(kToken, R"(,"token_url":"https://sts.googleapis.com/v1/token")"));
  EXPECT_EQ(read.audience, kAudience);
  EXPECT_EQ(read.subject_token_type, "urn:ietf:params:oauth:token-type:jwt");
  EXPECT_EQ(read.token_uri, "https://sts.googleapis.com/v1/token");
  EXPECT_EQ(read.subject.file, "/var/run/token");
  EXPECT_EQ(read.subject.json_field, "");
  EXPECT_EQ(read.impersonation_url, "");
  EXPECT_EQ(read.impersonation_lifetime, 3600);
}

TEST(ExternalAccount, HasItsTokenBehindAUrl) {
  const auto read = account(file(
      R"({"url":"http://169.254.169.254/token?v=1","headers":{"Metadata":"True","X":"SECRET"},)"
      R"("format":{"type":"json","subject_token_field_name":"access_token"}})"));
  EXPECT_EQ(read.subject.file, "");
  EXPECT_EQ(read.subject.url, "http://169.254.169.254/token?v=1");
  ASSERT_EQ(read.subject.headers.size(), 2U);
  EXPECT_EQ(read.subject.headers[1].second, "SECRET");
  EXPECT_EQ(read.subject.json_field, "access_token");
}

TEST(ExternalAccount, MayImpersonateAServiceAccount) {
  const std::string url = "https://iamcredentials.googleapis.com/v1/x:generateAccessToken";
  const auto read = account(
      file(kToken, R"(,"service_account_impersonation_url":")" + url +
                       R"(","service_account_impersonation":{"token_lifetime_seconds":600})"));
  EXPECT_EQ(read.impersonation_url, url);
  EXPECT_EQ(read.impersonation_lifetime, 600);
}

TEST(ExternalAccount, AsksTheTokenServerOfItsUniverse) {
  EXPECT_EQ(account(file(kToken)).token_uri, "https://sts.googleapis.com/v1/token");
  EXPECT_EQ(account(file(kToken, R"(,"universe_domain":"apis.example")")).token_uri,
            "https://sts.apis.example/v1/token");
}

TEST(ExternalAccount, SaysWhichSourcesAreNotSupported) {
  const std::string rest = ", which is not supported; a file or a url is";
  EXPECT_EQ(fault(file(R"({"environment_id":"aws1","url":"http://169.254.169.254/x"})")),
            "\"credential_source\" is AWS" + rest);
  EXPECT_EQ(fault(file(R"({"executable":{"command":"get SECRET"}})")),
            "\"credential_source\" is an executable" + rest);
  EXPECT_EQ(fault(file(R"({"certificate":{"use_default_certificate_config":true}})")),
            "\"credential_source\" is a certificate" + rest);
}

TEST(ExternalAccount, NamesWhatIsWrong) {
  EXPECT_EQ(fault(R"({"type":"external_account"})"), "there is no \"audience\"");
  EXPECT_EQ(fault(file("")), "there is no \"credential_source\"");
  EXPECT_EQ(fault(file("7")), "\"credential_source\" is not an object");
  EXPECT_EQ(fault(file("{}")), "\"credential_source\" has neither file nor url");
  EXPECT_EQ(fault(file(R"({"file":""})")), "\"credential_source.file\" is empty");
  EXPECT_EQ(fault(file(R"({"url":"ftp://x"})")),
            "\"credential_source.url\" must be an http:// or https:// address");
  EXPECT_EQ(fault(file(R"({"file":"t","format":{"type":"xml"}})")),
            "\"credential_source.format.type\" must be text or json");
  EXPECT_EQ(fault(file(R"({"file":"t","format":{"type":"json"}})")),
            "there is no \"credential_source.format.subject_token_field_name\"");
  EXPECT_EQ(fault(file(kToken, R"(,"token_url":"http://sts.example/")")),
            "\"token_url\" must be an https:// address");
  EXPECT_EQ(fault(file(kToken, R"(,"service_account_impersonation_url":"https://h/x")")),
            "\"service_account_impersonation_url\" must end with :generateAccessToken");
  EXPECT_EQ(
      fault(file(kToken, R"(,"service_account_impersonation":{"token_lifetime_seconds":599})")),
      "\"service_account_impersonation.token_lifetime_seconds\" must be a number from 600 to "
      "43200");
}

TEST(ExternalAccount, HeadersAreHeadersAndNeverShown) {
  for (const char* headers : {R"("SECRET")", R"({"A":1})", R"({"A\n":"SECRET"})",
                              R"({"A":"SECRET\r\nX: y"})", R"({"":"SECRET"})", R"({"A:":"x"})"})
    EXPECT_EQ(fault(file(R"({"url":"https://h/","headers":)" + std::string(headers) + "}")),
              "\"credential_source.headers\" must be an object of header names and texts");
}

}  // namespace
}  // namespace integcov::auth
