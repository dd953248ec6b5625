// Tokens of Google's Security Token Service for those of another identity provider (RFC 8693).
#pragma once

#include <memory>
#include <string>

#include "auth/external_account.h"
#include "auth/token_source.h"
#include "http/client.h"

namespace integcov::auth {

class StsSource final : public TokenSource {
 public:
  // `subject` brings the other provider's token.
  StsSource(http::Client& client, ExternalAccount account, std::string scope,
            std::unique_ptr<TokenSource> subject);

  std::unique_ptr<Fetch> fetch(WallTime now, Done done) override;

 private:
  std::unique_ptr<Fetch> exchange(const std::string& subject_token, WallTime now, Done done);

  http::Client& client_;
  ExternalAccount account_;
  std::string scope_;
  std::unique_ptr<TokenSource> subject_;
};

}  // namespace integcov::auth
