// Tokens of the service account that Google Cloud attached to this machine, from its metadata
// server.
#pragma once

#include <string>

#include "auth/credentials.h"
#include "auth/token_source.h"
#include "http/client.h"

namespace integcov::auth {

class MetadataServer final : public TokenSource {
 public:
  static constexpr std::string_view kDefaultHost = "169.254.169.254";

  // `host` is HOST or HOST:PORT, as GCE_METADATA_HOST has it. Before the first token for another
  // universe than Google's own the server is asked whether it belongs to that.
  MetadataServer(http::Client& client, std::string host,
                 std::string universe = std::string(kGoogleUniverse));

  std::unique_ptr<Fetch> fetch(WallTime now, Done done) override;

 private:
  std::unique_ptr<Fetch> fetch_token(WallTime now, Done done);
  std::unique_ptr<Fetch> check_universe(Done done);

  http::Client& client_;
  std::string host_;
  std::string universe_;
  bool universe_checked_;
};

}  // namespace integcov::auth
