// Tokens of a person who logged in with gcloud (gcloud auth application-default login).
#pragma once

#include "auth/credentials.h"
#include "auth/token_source.h"
#include "http/client.h"

namespace integcov::auth {

class AuthorizedUserSource final : public TokenSource {
 public:
  AuthorizedUserSource(http::Client& client, AuthorizedUser user);

  std::unique_ptr<Fetch> fetch(WallTime now, Done done) override;

 private:
  http::Client& client_;
  AuthorizedUser user_;
};

}  // namespace integcov::auth
