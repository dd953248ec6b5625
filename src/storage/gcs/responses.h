// What GCS's answers say. Pure: text in, values out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "http/message.h"

namespace integcov::storage::gcs {

// The fields of an object resource that an upload needs.
struct ObjectInfo {
  std::uint64_t size = 0;             // an emulator leaves out the size of an empty object
  std::optional<std::string> crc32c;  // base64
  std::optional<std::uint64_t> generation;
};
// nullopt: not an object resource.
std::optional<ObjectInfo> parse_object(std::string_view json);

struct ServerError {
  std::string reason;   // of the first error, "rateLimitExceeded"; empty if there is none
  std::string message;  // one printable line, never empty, at most 200 bytes before escaping
};
// Also for answers of front ends: plain text, HTML or nothing.
ServerError parse_error(const http::Response& response);

// "HTTP 403: MESSAGE", one printable line.
std::string describe(const http::Response& response);

// Trying again later may help: 408, 429, 5xx and a 403 that only says "too fast".
bool is_temporary(const http::Response& response);
bool is_rate_limited(const http::Response& response);
// The content that arrived doesn't have the checksum that was announced.
bool is_checksum_refusal(const http::Response& response);

// Any text as one printable line of at most 200 bytes before escaping.
std::string one_line(std::string_view text);

// Only seconds are understood, not a date.
std::optional<Duration> retry_after(const http::Headers& headers);

// How many bytes an upload session holds, from a 308's Range: 0 without one, nullopt when it isn't
// "bytes=0-LAST".
std::optional<std::uint64_t> persisted_bytes(const http::Headers& headers);

// The session URI of a Location header; a relative one is resolved against the request's URL.
// nullopt: nothing that a request could be sent to.
std::optional<std::string> resolve_location(std::string_view request_url,
                                            std::string_view location);

// "https://host:port" of a URL.
std::string_view url_origin(std::string_view url);

}  // namespace integcov::storage::gcs
