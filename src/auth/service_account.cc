#include "auth/service_account.h"

#include <chrono>
#include <memory>
#include <utility>

#include "auth/rs256.h"
#include "auth/token_request.h"
#include "base/encoding.h"
#include "event/timer.h"

namespace integcov::auth {
namespace {

class FailedFetch final : public Fetch {
 public:
  FailedFetch(event::Loop& loop, std::string message, TokenSource::Done done)
      : message_(std::move(message)), done_(std::move(done)), timer_(loop, [this] { fail(); }) {
    timer_.arm(Duration::zero());
  }

 private:
  void fail() {
    const auto finished = std::move(done_);  // it may destroy this
    finished(TokenError{std::move(message_), false});
  }

  std::string message_;
  TokenSource::Done done_;
  event::Timer timer_;
};

}  // namespace

Result<std::string> make_assertion(const ServiceAccountKey& key, WallTime now) {
  using std::chrono::seconds;
  const auto issued = std::chrono::floor<seconds>(now.time_since_epoch()) - seconds(10);
  std::string header = R"({"alg":"RS256","typ":"JWT")";
  if (!key.private_key_id.empty()) header += R"(,"kid":)" + json_quote(key.private_key_id);
  header += '}';
  const std::string claims = R"({"iss":)" + json_quote(key.client_email) + R"(,"scope":)" +
                             json_quote(kStorageScope) + R"(,"aud":)" + json_quote(key.token_uri) +
                             R"(,"iat":)" + std::to_string(issued.count()) + R"(,"exp":)" +
                             std::to_string((issued + seconds(3600)).count()) + '}';
  const std::string text = base64url_encode(header) + '.' + base64url_encode(claims);
  const auto signature = sign_rs256(key.private_key, text);
  if (!signature) return signature.error();
  return text + '.' + base64url_encode(*signature);
}

ServiceAccountSource::ServiceAccountSource(event::Loop& loop, http::Client& client,
                                           ServiceAccountKey key)
    : loop_(loop), client_(client), key_(std::move(key)) {}

std::unique_ptr<Fetch> ServiceAccountSource::fetch(WallTime now, Done done) {
  const auto assertion = make_assertion(key_, now);
  if (!assertion) {
    return std::make_unique<FailedFetch>(
        loop_, "the credentials of the service account are unusable: " + assertion.message(),
        std::move(done));
  }
  return post_token_form(
      client_, key_.token_uri,
      {{"grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"}, {"assertion", *assertion}},
      {*assertion}, now, std::move(done));
}

}  // namespace integcov::auth
