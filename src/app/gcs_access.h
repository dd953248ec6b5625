// How Google Cloud Storage is reached and with whose credentials: the environment as Google's
// libraries read it.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "auth/credentials.h"
#include "base/result.h"
#include "config/environment.h"

namespace integcov::app {

struct Emulator {
  std::string base_url;  // "http://host:port", without a final '/'; no token is sent
};
struct MetadataServerAt {
  std::string host;  // host or host:port
};
using GcsAccess = std::variant<std::monostate, Emulator, auth::Credentials, MetadataServerAt>;

struct GcsSetup {
  GcsAccess access;
  std::string universe{auth::kGoogleUniverse};  // the credentials' one, too
  std::string quota_project;                    // for x-goog-user-project; may be empty
};

// In the order of Google's Application Default Credentials (cloud.google.com/docs/authentication).
// Paths in the credentials are made absolute. Errors are sentences that name the variable.
Result<GcsSetup> find_gcs_access(const config::Environment& env, const std::string& cwd);

// STORAGE_EMULATOR_HOST: host:port or a URL. Error: it is neither.
Result<std::string> emulator_url(std::string_view value);

// Whether the host of this http or https URL is localhost or a loopback address. Precondition: no
// user name in it.
bool is_loopback(std::string_view url);

}  // namespace integcov::app
