#include "auth/credentials.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "base/encoding.h"

namespace integcov::auth {
namespace {

const std::string kPem = "-----BEGIN PRIVATE KEY-----\nMAMCAQU=\n-----END PRIVATE KEY-----\n";

using Fields = std::map<std::string, std::string>;

Fields account() {
  return {{"type", "service_account"},
          {"client_email", "ci@project.iam.gserviceaccount.com"},
          {"private_key_id", "0123abcd"},
          {"private_key", kPem},
          {"token_uri", "https://oauth2.googleapis.com/token"},
          {"universe_domain", "googleapis.com"}};
}

Fields user() {
  return {{"type", "authorized_user"},
          {"client_id", "id.apps.googleusercontent.com"},
          {"client_secret", "CLIENT-SECRET"},
          {"refresh_token", "1//REFRESH-SECRET"}};
}

std::string json(const Fields& fields) {
  std::string text;
  for (const auto& [name, value] : fields)
    text += (text.empty() ? "{" : ",") + json_quote(name) + ':' + json_quote(value);
  return text + '}';
}

Fields with(Fields fields, const std::string& name, const std::string& value) {
  fields[name] = value;
  return fields;
}
Fields without(Fields fields, const std::string& name) {
  fields.erase(name);
  return fields;
}

std::string fault(const std::string& text) {
  const auto credentials = parse_credentials(text);
  return credentials.ok() ? "fine" : credentials.message();
}
std::string fault(const Fields& fields) { return fault(json(fields)); }

TEST(ParseCredentials, ReadsAServiceAccountKey) {
  const auto credentials =
      parse_credentials(json(with(account(), "quota_project_id", "billed-here")));
  ASSERT_TRUE(credentials.ok()) << credentials.message();
  const auto& key = std::get<ServiceAccountKey>(credentials->account);
  EXPECT_EQ(key.client_email, "ci@project.iam.gserviceaccount.com");
  EXPECT_EQ(key.private_key_id, "0123abcd");
  EXPECT_EQ(key.private_key, kPem);
  EXPECT_EQ(key.token_uri, "https://oauth2.googleapis.com/token");
  EXPECT_EQ(credentials->quota_project, "billed-here");
  EXPECT_EQ(credentials->universe, "googleapis.com");
}

TEST(ParseCredentials, ReadsAnAuthorizedUserAndKnowsGooglesTokenServer) {
  const auto credentials = parse_credentials(json(user()));
  ASSERT_TRUE(credentials.ok()) << credentials.message();
  const auto& person = std::get<AuthorizedUser>(credentials->account);
  EXPECT_EQ(person.client_id, "id.apps.googleusercontent.com");
  EXPECT_EQ(person.client_secret, "CLIENT-SECRET");
  EXPECT_EQ(person.refresh_token, "1//REFRESH-SECRET");
  EXPECT_EQ(person.token_uri, kGoogleTokenUri);
  EXPECT_EQ(credentials->quota_project, "");
}

TEST(ParseCredentials, NamesTheMemberThatIsMissingEmptyOrOfAnotherType) {
  for (const std::string name : {"client_email", "private_key"}) {
    EXPECT_EQ(fault(without(account(), name)), "there is no \"" + name + "\"");
    EXPECT_EQ(fault(with(account(), name, "")), '"' + name + "\" is empty");
  }
  for (const std::string name : {"client_id", "client_secret", "refresh_token"})
    EXPECT_EQ(fault(without(user(), name)), "there is no \"" + name + "\"");
  EXPECT_EQ(fault(R"({"type":"authorized_user","client_id":7})"), "\"client_id\" is not a string");
  EXPECT_EQ(fault(R"({"type":null})"), "\"type\" is not a string");
  EXPECT_EQ(fault("{}"), "there is no \"type\"");
}

TEST(ParseCredentials, SaysThatItIsNoJson) {
  for (const char* text : {"", "[]", "null", "{", "-----BEGIN PRIVATE KEY-----"})
    EXPECT_EQ(fault(std::string(text)), "it is not a JSON object");
}

TEST(ParseCredentials, NamesOtherTypesAndWhatToUse) {
  const std::string rest =
      " are not supported; use service_account, authorized_user, external_account or "
      "impersonated_service_account, or the metadata server";
  for (const std::string type : {"external_account_authorized_user", "gdch_service_account"})
    EXPECT_EQ(fault(Fields{{"type", type}}), "credentials of type \"" + type + '"' + rest);
  EXPECT_EQ(fault(Fields{{"type", kPem}}), "credentials of an unknown type" + rest);
}

TEST(ParseCredentials, TokenUriIsHttpsOrOnThisMachine) {
  for (const char* good : {"https://oauth2.googleapis.com/token", "https://h", "http://127.0.0.1",
                           "http://localhost:8080/token", "http://[::1]:1/t"})
    EXPECT_EQ(fault(with(account(), "token_uri", good)), "fine") << good;
  for (const char* bad :
       {"http://oauth2.googleapis.com/token", "oauth2.googleapis.com", "https://", "ftp://h/",
        "http://localhost.evil.example/", "http://127.0.0.1@evil.example/", "https://a@b/",
        "http://127.0.0.1:80x/", "https://h/a b", "https://h\\x", "https://h/\n", "http://"})
    EXPECT_EQ(fault(with(account(), "token_uri", bad)), "\"token_uri\" must be an https:// address")
        << bad;
}

TEST(ParseCredentials, KnowsTheirUniverse) {
  const auto credentials = parse_credentials(json(with(account(), "universe_domain", "a.example")));
  ASSERT_TRUE(credentials.ok()) << credentials.message();
  EXPECT_EQ(credentials->universe, "a.example");
  EXPECT_EQ(fault(with(account(), "universe_domain", "X\ny")),
            "\"universe_domain\" is not a domain");
  EXPECT_EQ(
      fault(with(user(), "universe_domain", "a.example")),
      "\"universe_domain\" is another one than googleapis.com, where no authorized_user can log "
      "in");
}

TEST(ParseCredentials, TheQuotaProjectFitsIntoAHeader) {
  EXPECT_EQ(fault(with(user(), "quota_project_id", "a\r\nX-Evil: b")),
            "\"quota_project_id\" is not a project");
}

TEST(IsUniverse, TakesDomainsOnly) {
  for (const char* good : {"googleapis.com", "apis-tpc.example.goog", "a.b"})
    EXPECT_TRUE(is_universe(good)) << good;
  for (const char* bad : {"", "com", ".com", "com.", "a..b", "A.b", "a.b/c", "a.b:1", "a b.c"})
    EXPECT_FALSE(is_universe(bad)) << bad;
}

TEST(ParseCredentials, JudgesTheKeysShapeWithoutShowingIt) {
  EXPECT_EQ(fault(with(account(), "private_key", "MIIE-SECRET")),
            "\"private_key\" is not a PEM private key");
  EXPECT_EQ(fault(with(account(), "private_key",
                       "-----BEGIN PRIVATE KEY-----\nSECRET\n-----END PRIVATE KEY-----")),
            "\"private_key\" is damaged: it holds no encoded key");
}

// --- impersonated_service_account ---------------------------------------------------------------

const std::string kUrl =
    "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/t@p.example"
    ":generateAccessToken";

std::string impersonated(const std::string& source, const std::string& more = "") {
  return R"({"type":"impersonated_service_account","service_account_impersonation_url":)" +
         json_quote(kUrl) + R"(,"source_credentials":)" + source + more + '}';
}

TEST(ParseCredentials, ReadsAnImpersonatedAccountWithItsSource) {
  const auto credentials = parse_credentials(
      impersonated(json(user()), R"(,"delegates":["a@p","b@p"],"quota_project_id":"billed")"));
  ASSERT_TRUE(credentials.ok()) << credentials.message();
  const auto& account = std::get<ImpersonatedAccount>(credentials->account);
  EXPECT_EQ(account.url, kUrl);
  EXPECT_EQ(account.delegates, (std::vector<std::string>{"a@p", "b@p"}));
  EXPECT_EQ(std::get<AuthorizedUser>(account.source).refresh_token, "1//REFRESH-SECRET");
  EXPECT_EQ(credentials->quota_project, "billed");

  const auto key = parse_credentials(impersonated(json(::integcov::auth::account())));
  ASSERT_TRUE(key.ok()) << key.message();
  EXPECT_TRUE(std::holds_alternative<ServiceAccountKey>(
      std::get<ImpersonatedAccount>(key->account).source));
}

TEST(ParseCredentials, AnImpersonatedAccountAndItsSourceShareAUniverse) {
  const std::string source = json(with(account(), "universe_domain", "apis.example"));
  const auto credentials = parse_credentials(impersonated(source));
  ASSERT_TRUE(credentials.ok()) << credentials.message();
  EXPECT_EQ(credentials->universe, "apis.example");
  EXPECT_EQ(fault(impersonated(source, R"(,"universe_domain":"other.example")")),
            "\"source_credentials.universe_domain\" is another one than the account's (type "
            "impersonated_service_account)");
}

TEST(ParseCredentials, NamesWhatIsWrongWithAnImpersonatedAccount) {
  const std::string type = " (type impersonated_service_account)";
  EXPECT_EQ(fault(std::string(R"({"type":"impersonated_service_account"})")),
            "there is no \"service_account_impersonation_url\"" + type);
  EXPECT_EQ(fault(impersonated("7")), "\"source_credentials\" is not an object" + type);
  EXPECT_EQ(fault(impersonated("{}")), "there is no \"source_credentials.type\"" + type);
  EXPECT_EQ(fault(impersonated(json(without(user(), "client_secret")))),
            "there is no \"source_credentials.client_secret\"" + type);
  EXPECT_EQ(fault(impersonated(impersonated(json(user())))),
            "\"source_credentials.type\" must be service_account, authorized_user or "
            "external_account" +
                type);
  EXPECT_EQ(fault(impersonated(json(user()), R"(,"delegates":"a@p")")),
            "\"delegates\" is not a list of service accounts" + type);
}

}  // namespace
}  // namespace integcov::auth
