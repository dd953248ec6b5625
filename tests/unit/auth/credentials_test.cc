#include "auth/credentials.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

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
  const auto& key = std::get<ServiceAccountKey>(*credentials);
  EXPECT_EQ(key.client_email, "ci@project.iam.gserviceaccount.com");
  EXPECT_EQ(key.private_key_id, "0123abcd");
  EXPECT_EQ(key.private_key, kPem);
  EXPECT_EQ(key.token_uri, "https://oauth2.googleapis.com/token");
  EXPECT_EQ(key.quota_project, "billed-here");
}

TEST(ParseCredentials, ReadsAnAuthorizedUserAndKnowsGooglesTokenServer) {
  const auto credentials = parse_credentials(json(user()));
  ASSERT_TRUE(credentials.ok()) << credentials.message();
  const auto& person = std::get<AuthorizedUser>(*credentials);
  EXPECT_EQ(person.client_id, "id.apps.googleusercontent.com");
  EXPECT_EQ(person.client_secret, "CLIENT-SECRET");
  EXPECT_EQ(person.refresh_token, "1//REFRESH-SECRET");
  EXPECT_EQ(person.token_uri, kGoogleTokenUri);
  EXPECT_EQ(person.quota_project, "");
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
      " are not supported by this version; use service_account or authorized_user, or the metadata "
      "server";
  for (const std::string type :
       {"external_account", "impersonated_service_account", "gdch_service_account"})
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

TEST(ParseCredentials, OtherUniversesAreNotSupported) {
  EXPECT_EQ(fault(with(user(), "universe_domain", "apis.example.cloud")),
            "\"universe_domain\" is apis.example.cloud; this version supports googleapis.com only");
  EXPECT_EQ(fault(with(user(), "universe_domain", "X\ny")),
            "\"universe_domain\" is another one; this version supports googleapis.com only");
}

TEST(ParseCredentials, JudgesTheKeysShapeWithoutShowingIt) {
  EXPECT_EQ(fault(with(account(), "private_key", "MIIE-SECRET")),
            "\"private_key\" is not a PEM private key");
  EXPECT_EQ(fault(with(account(), "private_key",
                       "-----BEGIN PRIVATE KEY-----\nSECRET\n-----END PRIVATE KEY-----")),
            "\"private_key\" is damaged: it holds no encoded key");
}

}  // namespace
}  // namespace integcov::auth
