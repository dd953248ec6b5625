// Google's credentials files (application default credentials).
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"

namespace integcov::auth {

inline constexpr std::string_view kGoogleTokenUri = "https://oauth2.googleapis.com/token";

// Enough to write, read and list objects.
inline constexpr std::string_view kStorageScope =
    "https://www.googleapis.com/auth/devstorage.read_write";

struct ServiceAccountKey {
  std::string client_email;
  std::string private_key_id;  // may be empty
  std::string private_key;     // PEM; its shape was checked, OpenSSL hasn't seen it
  std::string token_uri;
  std::string quota_project;  // for the x-goog-user-project header; may be empty
};

struct AuthorizedUser {
  std::string client_id;
  std::string client_secret;
  std::string refresh_token;
  std::string token_uri;
  std::string quota_project;  // as above
};

using Credentials = std::variant<ServiceAccountKey, AuthorizedUser>;

// The content of a credentials file. The error is one clause about it that names the member in
// question and never repeats a secret.
// token_uri must be https; plain http is taken for 127.0.0.1, [::1] and localhost only (emulators
// and tests).
Result<Credentials> parse_credentials(std::string_view json);

}  // namespace integcov::auth
