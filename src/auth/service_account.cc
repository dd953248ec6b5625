#include "auth/service_account.h"

#include <chrono>
#include <memory>
#include <utility>

#include "auth/ready_fetch.h"
#include "auth/rs256.h"
#include "auth/token_request.h"
#include "base/encoding.h"

namespace integcov::auth {
namespace {

constexpr std::chrono::seconds kLifetime{3600};  // the longest that is taken
constexpr std::chrono::seconds kBackdated{10};

// `claims` are what comes before iat and exp.
Result<std::string> signed_jwt(const ServiceAccountKey& key, const std::string& claims,
                               WallTime now) {
  const auto issued = std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()) - kBackdated;
  std::string header = R"({"alg":"RS256","typ":"JWT")";
  if (!key.private_key_id.empty()) header += R"(,"kid":)" + json_quote(key.private_key_id);
  header += '}';
  const std::string payload = '{' + claims + R"(,"iat":)" + std::to_string(issued.count()) +
                              R"(,"exp":)" + std::to_string((issued + kLifetime).count()) + '}';
  const std::string text = base64url_encode(header) + '.' + base64url_encode(payload);
  const auto signature = sign_rs256(key.private_key, text);
  if (!signature) return signature.error();
  return text + '.' + base64url_encode(*signature);
}

TokenError unusable(const std::string& why) {
  return {"the credentials of the service account are unusable: " + why, false};
}

}  // namespace

Result<std::string> make_assertion(const ServiceAccountKey& key, WallTime now,
                                   std::string_view scope) {
  return signed_jwt(key,
                    R"("iss":)" + json_quote(key.client_email) + R"(,"scope":)" +
                        json_quote(scope) + R"(,"aud":)" + json_quote(key.token_uri),
                    now);
}

Result<std::string> make_self_signed(const ServiceAccountKey& key, WallTime now,
                                     std::string_view audience) {
  const std::string email = json_quote(key.client_email);
  return signed_jwt(
      key, R"("iss":)" + email + R"(,"sub":)" + email + R"(,"aud":)" + json_quote(audience), now);
}

ServiceAccountSource::ServiceAccountSource(event::Loop& loop, http::Client& client,
                                           ServiceAccountKey key, std::string scope)
    : loop_(loop), client_(client), key_(std::move(key)), scope_(std::move(scope)) {}

std::unique_ptr<Fetch> ServiceAccountSource::fetch(WallTime now, Done done) {
  const auto assertion = make_assertion(key_, now, scope_);
  if (!assertion) return answer_later(loop_, unusable(assertion.message()), std::move(done));
  return post_token_form(
      client_, key_.token_uri,
      {{"grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"}, {"assertion", *assertion}},
      {*assertion}, now, std::move(done));
}

SelfSignedSource::SelfSignedSource(event::Loop& loop, ServiceAccountKey key, std::string audience)
    : loop_(loop), key_(std::move(key)), audience_(std::move(audience)) {}

std::unique_ptr<Fetch> SelfSignedSource::fetch(WallTime now, Done done) {
  const auto jwt = make_self_signed(key_, now, audience_);
  if (!jwt) return answer_later(loop_, unusable(jwt.message()), std::move(done));
  return answer_later(loop_, Token{*jwt, now + kLifetime - kBackdated}, std::move(done));
}

}  // namespace integcov::auth
