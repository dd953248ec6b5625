#include "auth/token_request.h"

#include "auth/members.h"
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

class Chain final : public Fetch {
 public:
  Chain(const Start& first, Next next, TokenSource::Done done)
      : next_(std::move(next)), done_(std::move(done)) {
    current_ = first([this](TokenReply reply) { go_on(std::move(reply)); });
  }

 private:
  void go_on(TokenReply reply) {
    auto finished = std::move(done_);  // it may destroy this
    if (auto* token = std::get_if<Token>(&reply)) {
      current_ = next_(std::move(*token), std::move(finished));
    } else {
      finished(std::move(reply));
    }
  }

  Next next_;
  TokenSource::Done done_;
  std::unique_ptr<Fetch> current_;
};

}  // namespace

std::unique_ptr<Fetch> send_token_request(http::Client& client, http::Request request,
                                          std::function<TokenReply(const http::Reply&)> read,
                                          TokenSource::Done done) {
  return std::make_unique<HttpFetch>(client, std::move(request), std::move(read), std::move(done));
}

std::unique_ptr<Fetch> post_token_form(
    http::Client& client, const std::string& token_uri,
    const std::vector<std::pair<std::string_view, std::string>>& form,
    std::vector<std::string> secrets, WallTime now, TokenSource::Done done, http::Headers headers) {
  std::string body;
  for (const auto& [name, value] : form) {
    if (!body.empty()) body += '&';
    body.append(name).append("=").append(percent_encode(value));
  }
  // A server may repeat them as they came.
  for (std::size_t i = secrets.size(); i-- > 0;) secrets.push_back(percent_encode(secrets[i]));
  headers.insert(headers.begin(), {{"Content-Type", "application/x-www-form-urlencoded"},
                                   {"Accept", "application/json"}});
  http::Request request{.method = "POST",
                        .url = token_uri,
                        .headers = std::move(headers),
                        .body = {std::move(body)},
                        .through_proxy = is_for_proxies(token_uri)};
  const auto read = [who = "the token server " + std::string(authority_of(token_uri)), now,
                     secrets = std::move(secrets)](const http::Reply& reply) -> TokenReply {
    if (const auto* error = std::get_if<http::TransportError>(&reply))
      return TokenError{error->message, error->retryable};
    return read_token_reply(std::get<http::Response>(reply), now, who, secrets);
  };
  return send_token_request(client, std::move(request), read, std::move(done));
}

std::unique_ptr<Fetch> fetch_both(const Start& first, Next next, TokenSource::Done done) {
  return std::make_unique<Chain>(first, std::move(next), std::move(done));
}

}  // namespace integcov::auth
