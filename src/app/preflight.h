// Everything that is checked before the app is started, so that a mistake in the settings is told
// at once. No curl and no OpenSSL here: they are initialised after the app runs.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "app/gcs_access.h"
#include "base/result.h"
#include "config/config.h"
#include "config/environment.h"

namespace integcov::app {

struct Plan {
  config::Config config;  // coverdir and a storage folder are absolute
  GcsAccess access;       // monostate unless storage is gs://
  std::string universe{auth::kGoogleUniverse};
  std::string quota_project;  // who pays by the credentials or the environment; may be empty
  std::string ca_file;        // for TLS; empty: curl's own default
  bool careless = false;      // coverdir is a folder for other things too
  std::vector<std::string> warnings;
};

// Errors are sentences for the user that name the setting, the value and what is expected.
Result<Plan> prepare(const config::Config& config, const config::Environment& env,
                     const std::string& cwd);

// The home folder by the text of /etc/passwd (passwd(5)); empty if the user isn't in it. Not
// getpwuid(3): a static program must not load NSS modules.
std::string home_in_passwd(std::string_view passwd, uid_t uid);

// The parent's environment with GOCOVERDIR and nothing else changed.
std::vector<std::string> child_environment(const char* const* envp, const std::string& coverdir);

}  // namespace integcov::app
