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

void check_credentials(std::string_view json) {
  const auto credentials = auth::parse_credentials(json);
  if (!credentials.ok()) {
    check_message(credentials.message());
    require(credentials.message().find("SECRET") == std::string::npos);
    return;
  }
  const auto token_uri = std::visit([](const auto& any) { return any.token_uri; }, *credentials);
  require(token_uri.starts_with("https://") || token_uri.starts_with("http://localhost") ||
          token_uri.starts_with("http://127.0.0.1") || token_uri.starts_with("http://[::1]"));
  require(token_uri.find_first_of(" \r\n@\\") == std::string::npos);
  if (const auto* key = std::get_if<auth::ServiceAccountKey>(&*credentials)) {
    require(!key->client_email.empty());
    require(key->private_key.find("-----END ") != std::string::npos);
  } else {
    const auto& user = std::get<auth::AuthorizedUser>(*credentials);
    require(!user.client_id.empty() && !user.client_secret.empty() && !user.refresh_token.empty());
  }
}

// The input in the place of a key or a token of an otherwise good file.
void check_secret_member(const std::string& input) {
  const std::string value = json_quote("SECRET" + input + "SECRET");
  check_credentials(R"({"type":"service_account","client_email":"a@b","private_key":)" + value +
                    "}");
  check_credentials(R"({"type":"authorized_user","client_id":"a","client_secret":)" + value + "}");
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
  const auto& error = std::get<auth::TokenError>(reply);
  check_message(error.message);
  require(error.message.starts_with("the server answered "));
  require(error.message.find("SECRET") == std::string::npos);
  require(error.retryable || status == 400);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string input(reinterpret_cast<const char*>(data), size);
  check_credentials(input);
  check_secret_member(input);
  for (const int status : {200, 400, 503}) check_reply(input, status);
  return 0;
}
