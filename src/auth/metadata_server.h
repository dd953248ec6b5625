// Tokens of the service account that Google Cloud attached to this machine, from its metadata
// server.
#pragma once

#include <string>

#include "auth/token_source.h"
#include "http/client.h"

namespace integcov::auth {

class MetadataServer final : public TokenSource {
 public:
  static constexpr std::string_view kDefaultHost = "169.254.169.254";

  // `host` is HOST or HOST:PORT, as GCE_METADATA_HOST has it.
  MetadataServer(http::Client& client, std::string host);

  std::unique_ptr<Fetch> fetch(WallTime now, Done done) override;

 private:
  http::Client& client_;
  std::string host_;
};

}  // namespace integcov::auth
