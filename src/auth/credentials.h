// Google's credentials files (application default credentials).
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "auth/external_account.h"
#include "base/result.h"

namespace integcov::auth {

inline constexpr std::string_view kGoogleUniverse = "googleapis.com";
inline constexpr std::string_view kGoogleTokenUri = "https://oauth2.googleapis.com/token";

// Enough to write, read and list objects.
inline constexpr std::string_view kStorageScope =
    "https://www.googleapis.com/auth/devstorage.read_write";
// Needed to ask for another account's token.
inline constexpr std::string_view kCloudScope = "https://www.googleapis.com/auth/cloud-platform";

struct ServiceAccountKey {
  std::string client_email;
  std::string private_key_id;  // may be empty
  std::string private_key;     // PEM; its shape was checked, OpenSSL hasn't seen it
  std::string token_uri;
};

struct AuthorizedUser {
  std::string client_id;
  std::string client_secret;
  std::string refresh_token;
  std::string token_uri;
};

using DirectAccount = std::variant<ServiceAccountKey, AuthorizedUser, ExternalAccount>;

// A service account whose tokens another account may ask for.
struct ImpersonatedAccount {
  DirectAccount source;
  std::string url;                     // ….:generateAccessToken
  std::vector<std::string> delegates;  // the chain between the two; mostly empty
};

struct Credentials {
  std::variant<ServiceAccountKey, AuthorizedUser, ExternalAccount, ImpersonatedAccount> account;
  std::string quota_project = {};         // for the x-goog-user-project header; may be empty
  std::string universe{kGoogleUniverse};  // or the domain of another Google cloud
};

// The content of a credentials file. The error is one clause about it that names the member in
// question and never repeats a secret.
// Addresses that get a secret must be https; plain http is taken for 127.0.0.1, [::1] and localhost
// only (emulators and tests).
Result<Credentials> parse_credentials(std::string_view json);

// A domain in lower case: "googleapis.com".
bool is_universe(std::string_view text);

}  // namespace integcov::auth
