#include "auth/impersonated_source.h"

#include <utility>

#include "auth/credentials.h"
#include "auth/members.h"
#include "auth/oauth_reply.h"
#include "auth/token_request.h"
#include "base/encoding.h"

namespace integcov::auth {
namespace {

// The form that IAM takes (iamcredentials v1, GenerateAccessTokenRequest).
std::string resource_name(const std::string& account) {
  return account.starts_with("projects/") ? account : "projects/-/serviceAccounts/" + account;
}

}  // namespace

std::string impersonation_body(const ImpersonationTarget& target, std::string_view scope) {
  std::string delegates;
  for (const std::string& delegate : target.delegates)
    delegates += (delegates.empty() ? "" : ",") + json_quote(resource_name(delegate));
  if (!delegates.empty()) delegates = R"(,"delegates":[)" + delegates + ']';
  return R"({"scope":[)" + json_quote(scope) + R"(],"lifetime":")" +
         std::to_string(target.lifetime) + "s\"" + delegates + '}';
}

ImpersonatedSource::ImpersonatedSource(http::Client& client, ImpersonationTarget target,
                                       std::unique_ptr<TokenSource> inner)
    : client_(client), target_(std::move(target)), inner_(std::move(inner)) {}

std::unique_ptr<Fetch> ImpersonatedSource::fetch(WallTime now, Done done) {
  return fetch_both([&](Done first) { return inner_->fetch(now, std::move(first)); },
                    [this, now](const Token& token, Done second) {
                      return generate(token.access_token, now, std::move(second));
                    },
                    std::move(done));
}

std::unique_ptr<Fetch> ImpersonatedSource::generate(const std::string& token, WallTime now,
                                                    Done done) {
  http::Request request{.method = "POST",
                        .url = target_.url,
                        .headers = {{"Content-Type", "application/json"},
                                    {"Accept", "application/json"},
                                    {"Authorization", "Bearer " + token}},
                        .body = {impersonation_body(target_, kStorageScope)},
                        .through_proxy = is_for_proxies(target_.url)};
  const auto read = [who = "the impersonation server " + std::string(authority_of(target_.url)),
                     now, lifetime = std::chrono::seconds(target_.lifetime),
                     secrets = std::vector{token}](const http::Reply& reply) -> TokenReply {
    if (const auto* error = std::get_if<http::TransportError>(&reply))
      return TokenError{error->message, error->retryable};
    return read_impersonation_reply(std::get<http::Response>(reply), now + lifetime, who, secrets);
  };
  return send_token_request(client_, std::move(request), read, std::move(done));
}

}  // namespace integcov::auth
