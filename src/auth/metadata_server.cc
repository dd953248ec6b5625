#include "auth/metadata_server.h"

#include <utility>

#include "auth/credentials.h"
#include "auth/oauth_reply.h"
#include "auth/token_request.h"
#include "base/encoding.h"

namespace integcov::auth {
namespace {

TokenError unreachable(const std::string& host, const http::TransportError& error) {
  if (error.maybe_sent)
    return {"no answer of the metadata server at " + host + ": " + error.message, error.retryable};
  return {"no metadata server at " + host + " (" + error.message +
              "): not on Google Cloud? set GOOGLE_APPLICATION_CREDENTIALS",
          error.retryable};
}

TokenReply read(const http::Reply& reply, const std::string& host, WallTime now) {
  if (const auto* error = std::get_if<http::TransportError>(&reply))
    return unreachable(host, *error);
  const auto& response = std::get<http::Response>(reply);
  if (response.status == 404) {
    return TokenError{"the metadata server at " + host +
                          " knows no service account (HTTP 404): attach one, or set "
                          "GOOGLE_APPLICATION_CREDENTIALS",
                      false};
  }
  return read_token_reply(response, now, "the metadata server at " + host);
}

}  // namespace

MetadataServer::MetadataServer(http::Client& client, std::string host)
    : client_(client), host_(std::move(host)) {}

std::unique_ptr<Fetch> MetadataServer::fetch(WallTime now, Done done) {
  http::Request request{
      .url = "http://" + host_ +
             "/computeMetadata/v1/instance/service-accounts/default/token?scopes=" +
             percent_encode(kStorageScope),
      .headers = {{"Metadata-Flavor", "Google"}},
      .through_proxy = false};
  return send_token_request(
      client_, std::move(request),
      [host = host_, now](const http::Reply& reply) { return read(reply, host, now); },
      std::move(done));
}

}  // namespace integcov::auth
