#include "config/gcs_options.h"

#include <algorithm>
#include <array>
#include <optional>

#include "config/text.h"

namespace integcov::config {
namespace {

constexpr std::uint64_t kMaxObject = 5ULL << 40;  // 5 TiB, the largest object

constexpr bool is_id_char(char c) { return is_alnum(c) || c == '-' || c == '_' || c == '.'; }

bool is_id(std::string_view text) {
  return !text.empty() && text.size() <= 128 && std::ranges::all_of(text, is_id_char);
}

// Old projects are called "example.com:project".
bool is_project(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return is_id(text);
  return is_id(text.substr(0, colon)) && is_id(text.substr(colon + 1));
}

// A name or IPv4 address, or an IPv6 address in brackets.
bool is_host(std::string_view host) {
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
    return host.find(':') != std::string_view::npos && std::ranges::all_of(host, [](char c) {
             const char folded = static_cast<char>(c | 0x20);
             return is_digit(c) || (folded >= 'a' && folded <= 'f') || c == ':' || c == '.';
           });
  }
  return !host.empty() && host.size() <= 253 && is_alnum(host.front()) &&
         std::ranges::all_of(host, is_id_char);
}

bool is_authority(std::string_view authority) {
  std::size_t colon = authority.rfind(':');
  if (authority.ends_with(']')) colon = std::string_view::npos;
  if (colon == std::string_view::npos) return is_host(authority);
  const std::optional<std::uint64_t> port = parse_digits(authority.substr(colon + 1));
  return port && *port >= 1 && *port <= 65535 && is_host(authority.substr(0, colon));
}

// RFC 3986 section 3.3, with the digits of an escape left to the server.
bool is_path_char(char c) {
  constexpr std::string_view kOthers = "/-._~%!$&'()*+,;=:@";
  return is_alnum(c) || kOthers.find(c) != std::string_view::npos;
}

// A password in the URL must not reach the log.
std::string without_userinfo(std::string_view text) {
  const std::size_t at = text.rfind('@');
  if (at == std::string_view::npos) return std::string(text);
  const std::size_t separator = text.find("://");
  const std::size_t begin = separator < at ? separator + 3 : 0;
  return std::string(text.substr(0, begin)) + "***" + std::string(text.substr(at));
}

std::optional<std::uint64_t> scale_of(std::string_view suffix) {
  const std::string unit = lower(suffix);
  if (unit.empty()) return 1;
  if (unit == "k" || unit == "kib") return 1ULL << 10;
  if (unit == "m" || unit == "mib") return 1ULL << 20;
  if (unit == "g" || unit == "gib") return 1ULL << 30;
  return std::nullopt;
}

}  // namespace

Result<std::string> parse_project(std::string_view text) {
  if (is_project(text)) return std::string(text);
  return Error{quote(text) + " is not a project; expected an id such as my-project-123"};
}

Result<std::string> parse_kms_key(std::string_view text) {
  constexpr std::array<std::string_view, 4> kWords{"projects", "locations", "keyRings",
                                                   "cryptoKeys"};
  auto next = [rest = text]() mutable {
    const std::size_t slash = std::min(rest.find('/'), rest.size());
    const std::string_view component = rest.substr(0, slash);
    rest.remove_prefix(std::min(slash + 1, rest.size()));
    return component;
  };
  bool good = std::ranges::count(text, '/') == 7;
  for (const std::string_view word : kWords) {
    good = next() == word && good;
    const std::string_view name = next();
    good = (word == "projects" ? is_project(name) : is_id(name)) && good;
  }
  if (good) return std::string(text);
  return Error{quote(text) +
               " is not the name of a key; expected projects/PROJECT/locations/LOCATION/keyRings/"
               "RING/cryptoKeys/KEY"};
}

Result<std::string> parse_endpoint(std::string_view text) {
  constexpr std::string_view kScheme = "https://";
  if (lower(text.substr(0, kScheme.size())) != kScheme) {
    return Error{quote(without_userinfo(text)) +
                 " is not an https:// URL; expected https only (STORAGE_EMULATOR_HOST is for "
                 "http)"};
  }
  std::string_view rest = text.substr(kScheme.size());
  while (rest.ends_with('/')) rest.remove_suffix(1);
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  if (!is_authority(rest.substr(0, slash)) ||
      !std::ranges::all_of(rest.substr(slash), is_path_char)) {
    return Error{quote(without_userinfo(text)) +
                 " is not an endpoint; expected https://HOST[:PORT][/PATH] without user, query and "
                 "fragment"};
  }
  return std::string(kScheme) + std::string(rest);
}

Result<std::uint64_t> parse_chunk_size(std::string_view text) {
  const std::size_t end = std::min(text.find_first_not_of("0123456789"), text.size());
  const std::optional<std::uint64_t> number = parse_digits(text.substr(0, end));
  const std::optional<std::uint64_t> scale = scale_of(text.substr(end));
  if (number && scale && *number <= kMaxObject / *scale && *number * *scale % kChunkQuantum == 0) {
    return *number * *scale;
  }
  return Error{quote(text) +
               " is not a chunk size; expected a multiple of 262144 bytes (256 KiB) up to 5 TiB, "
               "such as 16MiB, or 0 to send the rest at once"};
}

}  // namespace integcov::config
