#include "auth/oauth_reply.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <optional>

#include "auth/json.h"
#include "auth/rfc3339.h"
#include "base/encoding.h"

namespace integcov::auth {
namespace {

constexpr std::size_t kMaxShown = 200;  // bytes of a server's own words

// RFC 6750 section 2.1: what an Authorization header can carry.
bool is_bearer_token(std::string_view token) {
  return !token.empty() && std::ranges::all_of(token, [](char c) { return c > ' ' && c < 0x7f; });
}

bool is_bearer(std::string_view type) {
  constexpr std::string_view kBearer = "bearer";
  return std::ranges::equal(type, kBearer, {}, [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
}

bool is_retryable(int status, std::string_view code) {
  constexpr std::array<std::string_view, 3> kPassing{"internal_failure", "server_error",
                                                     "temporarily_unavailable"};
  return status == 408 || status == 429 || status >= 500 ||
         std::ranges::find(kPassing, code) != kPassing.end();
}

// Fit to be shown: short, one line, none of the secrets. Else empty.
std::string shown(const std::optional<std::string>& text, std::span<const std::string> secrets) {
  if (!text) return "";
  const bool leaks = std::ranges::any_of(secrets, [&](const std::string& secret) {
    return !secret.empty() && text->find(secret) != std::string::npos;
  });
  return leaks || text->size() > kMaxShown ? "" : printable(*text);
}

TokenError refused(const http::Response& response, std::string_view who,
                   std::span<const std::string> secrets) {
  TokenError error = refusal(response.status, who);
  const auto object = JsonObject::parse(response.body);
  // Google's APIs have {"error": {"status": …, "message": …}}.
  const auto google = object ? object->object("error") : std::nullopt;
  const auto member = [&](std::string_view oauth, std::string_view googles) -> std::string {
    if (!object) return "";
    return shown(google ? google->string(googles) : object->string(oauth), secrets);
  };
  const std::string code = member("error", "status");
  const std::string words = member("error_description", "message");
  if (!code.empty()) error.message += ": " + code;
  if (!words.empty())
    error.message += (code.empty() ? ": " : " (") + words + (code.empty() ? "" : ")");
  error.retryable = is_retryable(response.status, code);
  return error;
}

}  // namespace

TokenError refusal(int status, std::string_view who) {
  return {std::string(who) + " answered HTTP " + std::to_string(status), is_retryable(status, "")};
}

TokenReply read_token_reply(const http::Response& response, WallTime now, std::string_view who,
                            std::span<const std::string> secrets) {
  if (response.status != 200) return refused(response, who, secrets);
  const auto odd = [who](std::string_view what) {
    return TokenError{std::string(who) + " answered without " + std::string(what), true};
  };
  const auto object = JsonObject::parse(response.body);
  if (!object) return odd("a JSON object");
  const auto token = object->string("access_token");
  if (!token || !is_bearer_token(*token)) return odd("a usable access_token");
  if (object->has("token_type") && !is_bearer(object->string("token_type").value_or("")))
    return odd("a token of the type Bearer");
  const auto seconds = object->integer("expires_in");
  if (!seconds || *seconds <= 0) return odd("a usable expires_in");
  constexpr std::int64_t kYear = 365LL * 24 * 3600;  // keeps the sum far from overflow
  return Token{*token, now + std::chrono::seconds(std::min(*seconds, kYear))};
}

TokenReply read_impersonation_reply(const http::Response& response, WallTime latest,
                                    std::string_view who, std::span<const std::string> secrets) {
  if (response.status != 200) return refused(response, who, secrets);
  const auto odd = [who](std::string_view what) {
    return TokenError{std::string(who) + " answered without " + std::string(what), true};
  };
  const auto object = JsonObject::parse(response.body);
  if (!object) return odd("a JSON object");
  const auto token = object->string("accessToken");
  if (!token || !is_bearer_token(*token)) return odd("a usable accessToken");
  const auto expires = parse_rfc3339(object->string("expireTime").value_or(""));
  if (!expires) return odd("a usable expireTime");
  return Token{*token, std::min(*expires, latest)};
}

}  // namespace integcov::auth
