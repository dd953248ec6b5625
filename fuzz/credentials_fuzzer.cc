// Credentials files and token answers, as bytes of unknown origin. Nothing that an error says may
// come from a secret: the corpus has SECRET in its secrets, and no error ever has it.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "auth/credentials.h"
#include "auth/oauth_reply.h"
#include "auth/subject_token.h"
#include "base/encoding.h"

namespace {

using namespace integcov;

void require(bool condition) {
  if (!condition) __builtin_trap();
}

void check_message(const std::string& message) {
  require(!message.empty() && message.size() < 600);
  require(std::ranges::none_of(
      message, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }));
}

void check_protected(const std::string& uri) {
  require(uri.starts_with("https://") || uri.starts_with("http://localhost") ||
          uri.starts_with("http://127.0.0.1") || uri.starts_with("http://[::1]"));
  require(uri.find_first_of(" \r\n#\\") == std::string::npos);
}

struct Account {
  void operator()(const auth::ServiceAccountKey& key) const {
    check_protected(key.token_uri);
    require(!key.client_email.empty());
    require(key.private_key.find("-----END ") != std::string::npos);
  }
  void operator()(const auth::AuthorizedUser& user) const {
    check_protected(user.token_uri);
    require(!user.client_id.empty() && !user.client_secret.empty() && !user.refresh_token.empty());
  }
  void operator()(const auth::ExternalAccount& account) const {
    check_protected(account.token_uri);
    if (!account.impersonation_url.empty()) check_protected(account.impersonation_url);
    require(!account.audience.empty() && !account.subject_token_type.empty());
    require(account.impersonation_lifetime >= 600 && account.impersonation_lifetime <= 43200);
    const auto& subject = account.subject;
    require(subject.file.empty() != subject.url.empty());
    require(subject.url.empty() || subject.url.starts_with("http"));
    for (const auto& [name, value] : subject.headers)
      require(!name.empty() && (name + value).find_first_of("\r\n") == std::string::npos);
  }
  void operator()(const auth::ImpersonatedAccount& account) const {
    check_protected(account.url);
    require(account.url.ends_with(":generateAccessToken"));
    std::visit(*this, account.source);
  }
};

void check_credentials(std::string_view json) {
  const auto credentials = auth::parse_credentials(json);
  if (!credentials.ok()) {
    check_message(credentials.message());
    require(credentials.message().find("SECRET") == std::string::npos);
    return;
  }
  require(auth::is_universe(credentials->universe));
  require(credentials->quota_project.find_first_of(" \r\n") == std::string::npos);
  std::visit(Account{}, credentials->account);
}

// The input in the place of a key or a token of an otherwise good file.
void check_secret_member(const std::string& input) {
  const std::string value = json_quote("SECRET" + input + "SECRET");
  check_credentials(R"({"type":"service_account","client_email":"a@b","private_key":)" + value +
                    "}");
  check_credentials(R"({"type":"authorized_user","client_id":"a","client_secret":)" + value + "}");
  check_credentials(
      R"({"type":"external_account","audience":"a","subject_token_type":"t","client_secret":)" +
      value + R"(,"credential_source":{"url":"https://h/","headers":{"A":)" + value + "}}}");
}

// As JSON in the places of the objects that the types have.
void check_inner(const std::string& input) {
  check_credentials(
      R"({"type":"external_account","audience":"a","subject_token_type":"t","credential_source":)" +
      input + "}");
  check_credentials(R"({"type":"impersonated_service_account","service_account_impersonation_url":)"
                    R"("https://h/x:generateAccessToken","source_credentials":)" +
                    input + "}");
}

void check_refusal(const auth::TokenError& error, int status) {
  check_message(error.message);
  require(error.message.starts_with("the server answered "));
  require(error.message.find("SECRET") == std::string::npos);
  require(error.retryable || status == 400);
}

void check_reply(const std::string& body, int status) {
  constexpr WallTime kNow{std::chrono::seconds(1'800'000'000)};
  const std::vector<std::string> secrets{"SECRET"};
  const auto reply =
      auth::read_token_reply({.status = status, .body = body}, kNow, "the server", secrets);
  if (const auto* token = std::get_if<auth::Token>(&reply)) {
    require(status == 200);
    require(!token->access_token.empty() && token->expires > kNow);
    require(token->access_token.find_first_of(" \r\n") == std::string::npos);
    return;
  }
  check_refusal(std::get<auth::TokenError>(reply), status);
}

void check_impersonation_reply(const std::string& body, int status) {
  constexpr WallTime kLatest{std::chrono::seconds(1'800'003'600)};
  const std::vector<std::string> secrets{"SECRET"};
  const auto reply = auth::read_impersonation_reply({.status = status, .body = body}, kLatest,
                                                    "the server", secrets);
  if (const auto* token = std::get_if<auth::Token>(&reply)) {
    require(status == 200);
    require(!token->access_token.empty() && token->expires <= kLatest);
    require(token->access_token.find_first_of(" \r\n") == std::string::npos);
    return;
  }
  check_refusal(std::get<auth::TokenError>(reply), status);
}

void check_subject_token(const std::string& text) {
  for (const char* field : {"", "access_token"}) {
    const auto token = auth::extract_subject_token(text, field);
    if (token) {
      require(!token->empty());
    } else {
      check_message(token.message());
      require(token.message().find("SECRET") == std::string::npos);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string input(reinterpret_cast<const char*>(data), size);
  check_credentials(input);
  check_secret_member(input);
  check_inner(input);
  check_subject_token(input);
  for (const int status : {200, 400, 503}) {
    check_reply(input, status);
    check_impersonation_reply(input, status);
  }
  return 0;
}
