// Everything that is checked before the app is started, so that a mistake in the settings is told
// at once. No curl and no OpenSSL here: they are initialised after the app runs.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "auth/credentials.h"
#include "base/result.h"
#include "config/config.h"
#include "config/environment.h"

namespace integcov::app {

// How to reach Google Cloud Storage.
struct Emulator {
  std::string base_url;  // "http://host:port", without a final '/'; no token is sent
};
struct MetadataServerAt {
  std::string host;  // host or host:port
};
using GcsAccess = std::variant<std::monostate, Emulator, auth::Credentials, MetadataServerAt>;

struct Plan {
  config::Config config;  // coverdir and a storage folder are absolute
  GcsAccess access;       // monostate unless storage is gs://
  std::string ca_file;    // for TLS; empty: curl's own default
  bool careless = false;  // coverdir is a folder for other things too
  std::vector<std::string> warnings;
};

// Errors are sentences for the user that name the setting, the value and what is expected.
Result<Plan> prepare(const config::Config& config, const config::Environment& env,
                     const std::string& cwd);

// STORAGE_EMULATOR_HOST: host:port or a URL. Error: it is neither.
Result<std::string> emulator_url(std::string_view value);

// The parent's environment with GOCOVERDIR and nothing else changed.
std::vector<std::string> child_environment(const char* const* envp, const std::string& coverdir);

}  // namespace integcov::app
