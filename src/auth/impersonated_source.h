// Tokens of a service account that another account may impersonate, from IAM's generateAccessToken.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "auth/token_source.h"
#include "http/client.h"

namespace integcov::auth {

struct ImpersonationTarget {
  std::string url;
  std::vector<std::string> delegates;  // e-mail addresses or resource names
  int lifetime = 0;                    // seconds
};

class ImpersonatedSource final : public TokenSource {
 public:
  // `inner` brings a token of the impersonating account, with the scope kCloudScope.
  ImpersonatedSource(http::Client& client, ImpersonationTarget target,
                     std::unique_ptr<TokenSource> inner);

  std::unique_ptr<Fetch> fetch(WallTime now, Done done) override;

 private:
  std::unique_ptr<Fetch> generate(const std::string& token, WallTime now, Done done);

  http::Client& client_;
  ImpersonationTarget target_;
  std::unique_ptr<TokenSource> inner_;
};

// The request's body, for a token with `scope`.
std::string impersonation_body(const ImpersonationTarget& target, std::string_view scope);

}  // namespace integcov::auth
