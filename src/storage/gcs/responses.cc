#include "storage/gcs/responses.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/encoding.h"

namespace integcov::storage::gcs {
namespace {

constexpr std::size_t kMaxLine = 200;                        // bytes
constexpr Duration kMaxRetryAfter = std::chrono::hours(24);  // more is as good as never

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) {
    return std::nullopt;
  }
  return value;
}

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

// The JSON API writes 64-bit numbers as strings. False: there, but not a number.
bool read_number(const simdjson::dom::object& object, const char* key,
                 std::optional<std::uint64_t>& value) {
  simdjson::dom::element field;
  if (object[key].get(field) != simdjson::SUCCESS) return true;
  std::string_view text;
  std::uint64_t number = 0;
  if (field.get(text) == simdjson::SUCCESS) {
    value = parse_number(text);
  } else if (field.get(number) == simdjson::SUCCESS) {
    value = number;
  }
  return value.has_value();
}

std::string read_string(const simdjson::dom::object& object, const char* key) {
  std::string_view text;
  if (object[key].get(text) != simdjson::SUCCESS) return {};
  return std::string(text);
}

// {"error":{"code":N,"message":"…","errors":[{"reason":"…"}]}}
std::optional<ServerError> parse_json_error(std::string_view body) {
  simdjson::dom::parser parser;
  simdjson::dom::element document;
  simdjson::dom::object error;
  if (body.empty() || parser.parse(body.data(), body.size()).get(document) != simdjson::SUCCESS ||
      document["error"].get(error) != simdjson::SUCCESS) {
    return std::nullopt;
  }
  ServerError result{.reason = {}, .message = one_line(read_string(error, "message"))};
  simdjson::dom::array errors;
  if (error["errors"].get(errors) == simdjson::SUCCESS && errors.size() > 0) {
    simdjson::dom::object first;
    if (errors.at(0).get(first) == simdjson::SUCCESS) result.reason = read_string(first, "reason");
  }
  return result;
}

std::string status_text(int status) {
  struct Text {
    int status;
    const char* text;
  };
  static constexpr std::array kTexts = {
      Text{400, "Bad Request"},
      Text{401, "Unauthorized"},
      Text{403, "Forbidden"},
      Text{404, "Not Found"},
      Text{408, "Request Timeout"},
      Text{409, "Conflict"},
      Text{410, "Gone"},
      Text{412, "Precondition Failed"},
      Text{413, "Content Too Large"},
      Text{416, "Range Not Satisfiable"},
      Text{429, "Too Many Requests"},
      Text{499, "Cancelled"},
      Text{500, "Internal Server Error"},
      Text{502, "Bad Gateway"},
      Text{503, "Service Unavailable"},
      Text{504, "Gateway Timeout"},
  };
  const auto* found = std::ranges::find(kTexts, status, &Text::status);
  return found == kTexts.end() ? "unexpected answer" : found->text;
}

}  // namespace

std::optional<ObjectInfo> parse_object(std::string_view json) {
  simdjson::dom::parser parser;
  simdjson::dom::element document;
  simdjson::dom::object object;
  if (json.empty() || parser.parse(json.data(), json.size()).get(document) != simdjson::SUCCESS ||
      document.get(object) != simdjson::SUCCESS) {
    return std::nullopt;
  }
  ObjectInfo info;
  std::optional<std::uint64_t> size;
  if (!read_number(object, "size", size) || !read_number(object, "generation", info.generation)) {
    return std::nullopt;
  }
  info.size = size.value_or(0);
  if (simdjson::dom::element field; object["crc32c"].get(field) == simdjson::SUCCESS) {
    std::string_view text;
    if (field.get(text) != simdjson::SUCCESS) return std::nullopt;
    info.crc32c = text;
  }
  return info;
}

ServerError parse_error(const http::Response& response) {
  ServerError error;
  const std::string_view body = trim(response.body);
  if (auto json = parse_json_error(body)) {
    error = std::move(*json);
  } else if (!body.starts_with('<') && !body.starts_with('{')) {
    error.message = one_line(body.substr(0, body.find_first_of("\r\n")));
  }
  if (error.message.empty()) error.message = status_text(response.status);
  return error;
}

std::string describe(const http::Response& response) {
  return "HTTP " + std::to_string(response.status) + ": " + parse_error(response).message;
}

bool is_rate_limited(const http::Response& response) {
  if (response.status == 429) return true;
  if (response.status != 403) return false;
  const std::string reason = parse_error(response).reason;
  return reason == "rateLimitExceeded" || reason == "userRateLimitExceeded";
}

bool is_temporary(const http::Response& response) {
  return response.status == 408 || response.status >= 500 || is_rate_limited(response);
}

bool is_checksum_refusal(const http::Response& response) {
  if (response.status != 400) return false;
  // `Provided CRC32C "…" doesn't match calculated CRC32C "…".`
  const std::string message = parse_error(response).message;
  return message.find("CRC32C") != std::string::npos && message.find("match") != std::string::npos;
}

std::string one_line(std::string_view text) {
  text = trim(text);
  std::string line;
  for (const char c : text.substr(0, 4 * kMaxLine)) {
    const bool blank = c == ' ' || c == '\t' || c == '\r' || c == '\n';
    if (!blank) line += c;
    if (blank && !line.empty() && line.back() != ' ') line += ' ';
  }
  if (line.size() > kMaxLine) {
    std::size_t end = kMaxLine;
    while (end > kMaxLine - 4 && (static_cast<unsigned char>(line[end]) & 0xc0) == 0x80) --end;
    line.resize(end);
  }
  return printable(trim(line));
}

std::optional<Duration> retry_after(const http::Headers& headers) {
  const auto value = http::find_header(headers, "Retry-After");
  if (!value) return std::nullopt;
  const auto seconds = parse_number(trim(*value));
  if (!seconds) return std::nullopt;
  constexpr std::uint64_t kMax =
      std::chrono::duration_cast<std::chrono::seconds>(kMaxRetryAfter).count();
  return std::chrono::seconds(static_cast<std::int64_t>(std::min(*seconds, kMax)));
}

std::optional<std::uint64_t> persisted_bytes(const http::Headers& headers) {
  const auto value = http::find_header(headers, "Range");
  if (!value) return 0;
  constexpr std::string_view kPrefix = "bytes=0-";
  const std::string_view range = trim(*value);
  if (!range.starts_with(kPrefix)) return std::nullopt;
  const auto last = parse_number(range.substr(kPrefix.size()));
  if (!last || *last == UINT64_MAX) return std::nullopt;
  return *last + 1;
}

std::string_view url_origin(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme == std::string_view::npos) return {};
  return url.substr(0, url.find_first_of("/?#", scheme + 3));
}

std::optional<std::string> resolve_location(std::string_view request_url,
                                            std::string_view location) {
  location = trim(location);
  const auto unfit = [](char c) { return c <= ' ' || c == '\x7f'; };
  if (location.empty() || std::ranges::any_of(location, unfit)) return std::nullopt;
  std::string url;
  if (location.starts_with("http://") || location.starts_with("https://")) {
    url = location;
  } else if (location.starts_with("//")) {
    url = std::string(request_url.substr(0, request_url.find(':') + 1)).append(location);
  } else if (location.starts_with('/')) {
    url = std::string(url_origin(request_url)).append(location);
  } else if (location.starts_with('?')) {
    url = std::string(request_url.substr(0, request_url.find('?'))).append(location);
  } else {
    return std::nullopt;  // another scheme, or a form that no server was seen to use
  }
  const std::string_view origin = url_origin(url);
  // A user name in it would be a way to disguise the host.
  if (origin.ends_with("//") || origin.find('@') != std::string_view::npos) return std::nullopt;
  return url;
}

}  // namespace integcov::storage::gcs
