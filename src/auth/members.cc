#include "auth/members.h"

#include <algorithm>
#include <array>
#include <utility>

namespace integcov::auth {
namespace {

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

}  // namespace

std::string Members::required(std::string_view name) {
  std::string value = optional(name);
  if (value.empty() && !fault_) {
    const std::string quoted = '"' + path_ + std::string(name) + '"';
    fault_ = object_.has(name) ? quoted + " is empty" : "there is no " + quoted;
  }
  return value;
}

std::string Members::optional(std::string_view name) {
  const auto value = object_.string(name);
  if (!value && object_.has(name)) blame(name, "is not a string");
  return value.value_or("");
}

std::string Members::https_uri(std::string_view name, std::string_view otherwise) {
  std::string uri = optional(name);
  if (uri.empty()) return std::string(otherwise);
  if (!is_protected_uri(uri)) blame(name, "must be an https:// address");
  return uri;
}

void Members::blame(std::string_view name, std::string_view what) {
  if (!fault_) fault_ = '"' + path_ + std::string(name) + "\" " + std::string(what);
}

void Members::take_fault_of(const Members& inner) {
  if (!fault_) fault_ = inner.fault_;
}

bool is_plain_word(std::string_view text) {
  return !text.empty() && text.size() <= 40 && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
  });
}

std::string_view authority_of(std::string_view uri) {
  const auto scheme = uri.find("://");
  if (scheme != std::string_view::npos) uri.remove_prefix(scheme + 3);
  return uri.substr(0, uri.find_first_of("/?"));
}

bool is_http_uri(std::string_view uri) {
  constexpr std::string_view kOdd = "\"<>\\^`{|}#";
  const bool plain = std::ranges::all_of(
      uri, [&](char c) { return c > ' ' && c < 0x7f && kOdd.find(c) == std::string_view::npos; });
  return plain && (uri.starts_with("https://") || uri.starts_with("http://")) &&
         !authority_of(uri).empty() && authority_of(uri).find('@') == std::string_view::npos;
}

bool is_protected_uri(std::string_view uri) {
  return is_http_uri(uri) && (uri.starts_with("https://") || is_loopback(authority_of(uri)));
}

bool is_for_proxies(std::string_view uri) { return uri.starts_with("https://"); }

}  // namespace integcov::auth
