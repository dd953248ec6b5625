#include "auth/credentials.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <utility>

#include "auth/json.h"
#include "auth/pem.h"

namespace integcov::auth {
namespace {

std::string quoted(std::string_view name) { return '"' + std::string(name) + '"'; }

// Collects the members; the first fault wins.
class Members {
 public:
  explicit Members(const JsonObject& object) : object_(object) {}

  std::string required(std::string_view name) {
    std::string value = optional(name);
    if (value.empty() && !fault_)
      fault_ = (object_.has(name) ? quoted(name) + " is empty" : "there is no " + quoted(name));
    return value;
  }
  std::string optional(std::string_view name) {
    const auto value = object_.string(name);
    if (!value && object_.has(name) && !fault_) fault_ = quoted(name) + " is not a string";
    return value.value_or("");
  }
  void blame(std::string_view name, std::string_view what) {
    if (!fault_) fault_ = quoted(name) + ' ' + std::string(what);
  }
  [[nodiscard]] const std::optional<std::string>& fault() const { return fault_; }

 private:
  const JsonObject& object_;
  std::optional<std::string> fault_;
};

// Safe to show: a word of Google's file format or a host name, no room for a key or a token.
bool is_plain_word(std::string_view text) {
  return !text.empty() && text.size() <= 40 && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
  });
}

bool is_loopback(std::string_view authority) {
  constexpr std::array<std::string_view, 3> kHosts{"127.0.0.1", "localhost", "[::1]"};
  return std::ranges::any_of(kHosts, [authority](std::string_view host) {
    if (!authority.starts_with(host)) return false;
    const std::string_view port = authority.substr(host.size());
    return port.empty() || (port[0] == ':' && std::ranges::all_of(port.substr(1), [](char c) {
                              return c >= '0' && c <= '9';
                            }));
  });
}

bool is_token_uri(std::string_view uri) {
  constexpr std::string_view kOdd = "\"<>\\^`{|}@#";
  const bool plain = std::ranges::all_of(
      uri, [&](char c) { return c > ' ' && c < 0x7f && kOdd.find(c) == std::string_view::npos; });
  const auto scheme_end = uri.find("://");
  if (!plain || scheme_end == std::string_view::npos) return false;
  const std::string_view scheme = uri.substr(0, scheme_end);
  const std::string_view rest = uri.substr(scheme_end + 3);
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?"));
  return (scheme == "https" && !authority.empty()) || (scheme == "http" && is_loopback(authority));
}

std::string take_token_uri(Members& members) {
  std::string uri = members.optional("token_uri");
  if (uri.empty()) return std::string(kGoogleTokenUri);
  if (!is_token_uri(uri)) members.blame("token_uri", "must be an https:// address");
  return uri;
}

// Other universes take self-signed tokens and other endpoints only.
void check_universe(Members& members) {
  const std::string universe = members.optional("universe_domain");
  if (universe.empty() || universe == "googleapis.com") return;
  const std::string shown = is_plain_word(universe) ? universe : "another one";
  members.blame("universe_domain", "is " + shown + "; this version supports googleapis.com only");
}

Result<Credentials> finish(const Members& members, Credentials credentials) {
  if (members.fault()) return Error{*members.fault()};
  return credentials;
}

Result<Credentials> service_account(Members members) {
  ServiceAccountKey key;
  key.client_email = members.required("client_email");
  key.private_key_id = members.optional("private_key_id");
  key.private_key = members.required("private_key");
  if (const auto shape = check_private_key(key.private_key); !shape)
    members.blame("private_key", shape.message());
  key.token_uri = take_token_uri(members);
  key.quota_project = members.optional("quota_project_id");
  check_universe(members);
  return finish(members, std::move(key));
}

Result<Credentials> authorized_user(Members members) {
  AuthorizedUser user;
  user.client_id = members.required("client_id");
  user.client_secret = members.required("client_secret");
  user.refresh_token = members.required("refresh_token");
  user.token_uri = take_token_uri(members);
  user.quota_project = members.optional("quota_project_id");
  check_universe(members);
  return finish(members, std::move(user));
}

}  // namespace

Result<Credentials> parse_credentials(std::string_view json) {
  const auto object = JsonObject::parse(json);
  if (!object) return Error{"it is not a JSON object"};
  Members members(*object);
  const std::string type = members.required("type");
  if (members.fault()) return Error{*members.fault()};
  if (type == "service_account") return service_account(std::move(members));
  if (type == "authorized_user") return authorized_user(std::move(members));
  return Error{"credentials of " +
               (is_plain_word(type) ? "type " + quoted(type) : std::string("an unknown type")) +
               " are not supported by this version; use service_account or authorized_user, or the "
               "metadata server"};
}

}  // namespace integcov::auth
