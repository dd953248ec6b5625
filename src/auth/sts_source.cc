#include "auth/sts_source.h"

#include <string_view>
#include <utility>
#include <vector>

#include "auth/token_request.h"
#include "base/encoding.h"

namespace integcov::auth {

StsSource::StsSource(http::Client& client, ExternalAccount account, std::string scope,
                     std::unique_ptr<TokenSource> subject)
    : client_(client),
      account_(std::move(account)),
      scope_(std::move(scope)),
      subject_(std::move(subject)) {}

std::unique_ptr<Fetch> StsSource::fetch(WallTime now, Done done) {
  return fetch_both([&](Done first) { return subject_->fetch(now, std::move(first)); },
                    [this, now](const Token& subject, Done second) {
                      return exchange(subject.access_token, now, std::move(second));
                    },
                    std::move(done));
}

std::unique_ptr<Fetch> StsSource::exchange(const std::string& subject_token, WallTime now,
                                           Done done) {
  std::vector<std::pair<std::string_view, std::string>> form{
      {"grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"},
      {"audience", account_.audience},
      {"scope", scope_},
      {"requested_token_type", "urn:ietf:params:oauth:token-type:access_token"},
      {"subject_token_type", account_.subject_token_type},
      {"subject_token", subject_token}};
  // A client id names the project by itself (google-cloud-go auth externalaccount.go).
  if (!account_.user_project.empty() && account_.client_id.empty())
    form.emplace_back("options", R"({"userProject":)" + json_quote(account_.user_project) + '}');

  std::vector<std::string> secrets{subject_token, account_.client_secret};
  http::Headers headers;
  if (!account_.client_id.empty() && !account_.client_secret.empty()) {
    secrets.push_back(base64_encode(account_.client_id + ':' + account_.client_secret));
    headers.emplace_back("Authorization", "Basic " + secrets.back());
  }
  return post_token_form(client_, account_.token_uri, form, std::move(secrets), now,
                         std::move(done), std::move(headers));
}

}  // namespace integcov::auth
