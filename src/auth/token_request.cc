#include "auth/token_request.h"

#include "auth/oauth_reply.h"
#include "base/encoding.h"

namespace integcov::auth {
namespace {

class HttpFetch final : public Fetch {
 public:
  HttpFetch(http::Client& client, http::Request request,
            std::function<TokenReply(const http::Reply&)> read, TokenSource::Done done)
      : read_(std::move(read)), done_(std::move(done)) {
    exchange_ = client.start(std::move(request), [this](const http::Reply& reply) {
      const auto finished = std::move(done_);  // it may destroy this
      finished(read_(reply));
    });
  }

 private:
  std::function<TokenReply(const http::Reply&)> read_;
  TokenSource::Done done_;
  std::unique_ptr<http::Exchange> exchange_;
};

std::string_view authority(std::string_view uri) {
  const auto scheme = uri.find("://");
  if (scheme != std::string_view::npos) uri.remove_prefix(scheme + 3);
  return uri.substr(0, uri.find_first_of("/?"));
}

}  // namespace

std::unique_ptr<Fetch> send_token_request(http::Client& client, http::Request request,
                                          std::function<TokenReply(const http::Reply&)> read,
                                          TokenSource::Done done) {
  return std::make_unique<HttpFetch>(client, std::move(request), std::move(read), std::move(done));
}

std::unique_ptr<Fetch> post_token_form(
    http::Client& client, const std::string& token_uri,
    const std::vector<std::pair<std::string_view, std::string>>& form,
    std::vector<std::string> secrets, WallTime now, TokenSource::Done done) {
  std::string body;
  for (const auto& [name, value] : form) {
    if (!body.empty()) body += '&';
    body.append(name).append("=").append(percent_encode(value));
  }
  http::Request request{.method = "POST",
                        .url = token_uri,
                        .headers = {{"Content-Type", "application/x-www-form-urlencoded"},
                                    {"Accept", "application/json"}},
                        .body = {std::move(body)}};
  const auto read = [who = "the token server " + std::string(authority(token_uri)), now,
                     secrets = std::move(secrets)](const http::Reply& reply) -> TokenReply {
    if (const auto* error = std::get_if<http::TransportError>(&reply))
      return TokenError{error->message, error->retryable};
    return read_token_reply(std::get<http::Response>(reply), now, who, secrets);
  };
  return send_token_request(client, std::move(request), read, std::move(done));
}

}  // namespace integcov::auth
