// Credentials of type external_account: tokens of another identity provider (workload identity
// federation) are exchanged for Google's.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "auth/members.h"

namespace integcov::auth {

// Where the other provider's token lies: in a file or behind a URL.
struct SubjectTokenPlace {
  std::string file;  // empty: `url`
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;  // may hold secrets
  std::string json_field;  // the token's member if it lies in a JSON object; empty: the whole text
};

inline constexpr int kImpersonationLifetime = 3600;  // seconds

struct ExternalAccount {
  std::string audience;
  std::string subject_token_type;
  std::string token_uri;
  std::string client_id;  // both or none
  std::string client_secret;
  std::string user_project;  // of a workforce pool; may be empty
  SubjectTokenPlace subject;
  std::string impersonation_url;                        // may be empty
  int impersonation_lifetime = kImpersonationLifetime;  // seconds
};

// The fault, if any, is in `members`.
ExternalAccount read_external_account(Members& members, std::string_view universe);

// An address of IAM's generateAccessToken; empty if there is none.
std::string read_impersonation_url(Members& members);

}  // namespace integcov::auth
