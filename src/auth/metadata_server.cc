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

// A Token that says nothing: the universe is the right one. 404: the server is older than universes
// (pyauth compute_engine/_metadata.py get_universe_domain).
TokenReply compare_universe(const http::Reply& reply, const std::string& host,
                            const std::string& universe) {
  if (const auto* error = std::get_if<http::TransportError>(&reply))
    return unreachable(host, *error);
  const auto& response = std::get<http::Response>(reply);
  const std::string who = "the metadata server at " + host;
  if (response.status != 200 && response.status != 404) return refusal(response.status, who);
  const std::string its(response.status == 404 ? kGoogleUniverse : response.body);
  if (its == universe) return Token{};
  return TokenError{who + " belongs to the universe " +
                        (is_universe(its) ? its : "of another name") +
                        ", but GOOGLE_CLOUD_UNIVERSE_DOMAIN is " + universe,
                    false};
}

http::Request request_to(const std::string& host, const std::string& path) {
  return {.url = "http://" + host + "/computeMetadata/v1/" + path,
          .headers = {{"Metadata-Flavor", "Google"}},
          .through_proxy = false};
}

}  // namespace

MetadataServer::MetadataServer(http::Client& client, std::string host, std::string universe)
    : client_(client),
      host_(std::move(host)),
      universe_(std::move(universe)),
      universe_checked_(universe_ == kGoogleUniverse) {}

std::unique_ptr<Fetch> MetadataServer::fetch(WallTime now, Done done) {
  if (universe_checked_) return fetch_token(now, std::move(done));
  return fetch_both([this](Done first) { return check_universe(std::move(first)); },
                    [this, now](const Token&, Done second) {
                      universe_checked_ = true;
                      return fetch_token(now, std::move(second));
                    },
                    std::move(done));
}

std::unique_ptr<Fetch> MetadataServer::check_universe(Done done) {
  return send_token_request(
      client_, request_to(host_, "universe/universe-domain"),
      [host = host_, universe = universe_](const http::Reply& reply) {
        return compare_universe(reply, host, universe);
      },
      std::move(done));
}

std::unique_ptr<Fetch> MetadataServer::fetch_token(WallTime now, Done done) {
  return send_token_request(
      client_,
      request_to(host_,
                 "instance/service-accounts/default/token?scopes=" + percent_encode(kStorageScope)),
      [host = host_, now](const http::Reply& reply) { return read(reply, host, now); },
      std::move(done));
}

}  // namespace integcov::auth
