// Tokens for a service account's key file: a signed JWT is exchanged for one (RFC 7523).
#pragma once

#include <string>
#include <string_view>

#include "auth/credentials.h"
#include "auth/token_source.h"
#include "event/loop.h"
#include "http/client.h"

namespace integcov::auth {

class ServiceAccountSource final : public TokenSource {
 public:
  // The loop brings the answer when the key can't sign and no request is made.
  ServiceAccountSource(event::Loop& loop, http::Client& client, ServiceAccountKey key,
                       std::string scope = std::string(kStorageScope));

  std::unique_ptr<Fetch> fetch(WallTime now, Done done) override;

 private:
  event::Loop& loop_;
  http::Client& client_;
  ServiceAccountKey key_;
  std::string scope_;
};

// Tokens that the key signs itself, for one service and without a request: the only way outside of
// googleapis.com, whose token server other universes don't have.
class SelfSignedSource final : public TokenSource {
 public:
  SelfSignedSource(event::Loop& loop, ServiceAccountKey key, std::string audience);

  std::unique_ptr<Fetch> fetch(WallTime now, Done done) override;

 private:
  event::Loop& loop_;
  ServiceAccountKey key_;
  std::string audience_;
};

// The signed assertion, valid for an hour. `iat` lies 10 s before `now`: a server whose clock is
// behind refuses tokens from its future.
Result<std::string> make_assertion(const ServiceAccountKey& key, WallTime now,
                                   std::string_view scope = kStorageScope);
// The token of SelfSignedSource; `audience` is "https://storage.UNIVERSE/".
Result<std::string> make_self_signed(const ServiceAccountKey& key, WallTime now,
                                     std::string_view audience);

}  // namespace integcov::auth
