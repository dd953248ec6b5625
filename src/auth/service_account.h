// Tokens for a service account's key file: a signed JWT is exchanged for one (RFC 7523).
#pragma once

#include <string>

#include "auth/credentials.h"
#include "auth/token_source.h"
#include "event/loop.h"
#include "http/client.h"

namespace integcov::auth {

class ServiceAccountSource final : public TokenSource {
 public:
  // The loop brings the answer when the key can't sign and no request is made.
  ServiceAccountSource(event::Loop& loop, http::Client& client, ServiceAccountKey key);

  std::unique_ptr<Fetch> fetch(WallTime now, Done done) override;

 private:
  event::Loop& loop_;
  http::Client& client_;
  ServiceAccountKey key_;
};

// The signed assertion, valid for an hour. `iat` lies 10 s before `now`: a server whose clock is
// behind refuses tokens from its future.
Result<std::string> make_assertion(const ServiceAccountKey& key, WallTime now);

}  // namespace integcov::auth
