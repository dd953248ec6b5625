// HTTP messages as values. Pure: std and base only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/time.h"

namespace integcov::http {

using Headers = std::vector<std::pair<std::string, std::string>>;

// The value of the first header of that name (names compare without case, RFC 9110 section 5.1).
std::optional<std::string_view> find_header(const Headers& headers, std::string_view name);

// A range of an open file, read while the request is sent. `fd` is borrowed and must stay open
// until the exchange is done or destroyed; it is read with pread(2).
struct FileRange {
  int fd = -1;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

// The parts are sent one after the other under one Content-Length.
using BodyPart = std::variant<std::string, FileRange>;
using Body = std::vector<BodyPart>;

std::uint64_t body_size(const Body& body);

struct Request {
  std::string method = "GET";
  std::string url;
  Headers headers;                // Content-Length is set by the client, Expect is never sent
  Body body;                      // with PUT or POST an empty body sends Content-Length: 0
  bool through_proxy = true;      // false: never through a proxy (the metadata server)
  bool fresh_connection = false;  // true: not on one that is kept open from earlier requests
  // Several tries must fit into the ten seconds after SIGTERM. What waits for a slot among the
  // connections of a host isn't under any of these.
  Duration connect_timeout = std::chrono::seconds(2);
  // No byte in either direction for that long ends the exchange.
  Duration stall_timeout = std::chrono::milliseconds(2500);
  // From the last byte of the request to the last one of the answer.
  Duration answer_timeout = std::chrono::seconds(3);
};

struct Response {
  int status = 0;
  Headers headers;
  std::string body;  // at most kMaxResponseBody bytes; a longer one is a TransportError
};
inline constexpr std::size_t kMaxResponseBody = 1 << 20;

struct TransportError {
  std::string message;     // for the user: no URL query, no header values
  bool retryable = true;   // false: trying again can't help (bad URL, certificate not trusted, …)
  bool maybe_sent = true;  // the server may have acted on the request
  bool reused_connection = false;  // a stale keep-alive connection is a likely cause
  bool timed_out = false;          // a limit of the Request ended it: a longer one may help
};

// A status is a value; a transport failure is an error.
using Reply = std::variant<Response, TransportError>;

}  // namespace integcov::http
