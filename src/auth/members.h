// Members of a credentials file with the first fault found in them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "auth/json.h"

namespace integcov::auth {

class Members {
 public:
  // `object` is borrowed. `path` comes before each name in a fault: "credential_source.".
  explicit Members(const JsonObject& object, std::string path = "")
      : object_(object), path_(std::move(path)) {}

  // Empty only with a fault.
  std::string required(std::string_view name);
  std::string optional(std::string_view name);
  // Like optional(), or `otherwise` when there is none; an https address, or http to this machine.
  std::string https_uri(std::string_view name, std::string_view otherwise);

  void blame(std::string_view name, std::string_view what);
  void take_fault_of(const Members& inner);

  [[nodiscard]] const JsonObject& object() const { return object_; }
  // A clause that names the member and shows no secret.
  [[nodiscard]] const std::optional<std::string>& fault() const { return fault_; }

 private:
  const JsonObject& object_;
  std::string path_;
  std::optional<std::string> fault_;
};

// Safe to show: a word of Google's file format or a host name, no room for a key or a token.
bool is_plain_word(std::string_view text);

// The host and port of a URL, for messages.
std::string_view authority_of(std::string_view uri);

// An http or https URL that libcurl and a message can take: no user, no fragment, no odd bytes.
bool is_http_uri(std::string_view uri);
// The same, and the connection is encrypted or stays on this machine.
bool is_protected_uri(std::string_view uri);
// Plain http carries secrets only to this machine or network, where no proxy belongs.
bool is_for_proxies(std::string_view uri);

}  // namespace integcov::auth
