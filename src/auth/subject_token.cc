#include "auth/subject_token.h"

#include <utility>

#include "auth/json.h"
#include "auth/members.h"
#include "auth/oauth_reply.h"
#include "auth/ready_fetch.h"
#include "auth/token_request.h"
#include "base/encoding.h"

namespace integcov::auth {
namespace {

std::string_view trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const auto first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

// Its owner may be about to write it: worth another try.
TokenReply reply_from(std::string_view text, const SubjectTokenPlace& place,
                      const std::string& where, WallTime now) {
  auto token = extract_subject_token(text, place.json_field);
  if (!token) return TokenError{where + ' ' + token.message(), true};
  return Token{*std::move(token), now};
}

}  // namespace

Result<std::string> extract_subject_token(std::string_view text, std::string_view json_field) {
  if (json_field.empty()) {
    const std::string_view token = trim(text);
    if (token.empty()) return Error{"is empty"};
    return std::string(token);
  }
  const auto object = JsonObject::parse(text);
  if (!object) return Error{"holds no JSON object"};
  const auto token = object->string(json_field);
  if (!token || token->empty())
    return Error{"has no text \"" + printable(json_field) + "\" in its JSON object"};
  return *token;
}

FileSubjectSource::FileSubjectSource(event::Loop& loop, SubjectTokenPlace place, ReadFile read)
    : loop_(loop), place_(std::move(place)), read_(std::move(read)) {}

std::unique_ptr<Fetch> FileSubjectSource::fetch(WallTime now, Done done) {
  const std::string where = "the token file " + printable(place_.file);
  const auto text = read_(place_.file);
  if (!text) {
    return answer_later(loop_, TokenError{where + " cannot be read: " + text.message(), true},
                        std::move(done));
  }
  return answer_later(loop_, reply_from(*text, place_, where, now), std::move(done));
}

UrlSubjectSource::UrlSubjectSource(http::Client& client, SubjectTokenPlace place)
    : client_(client), place_(std::move(place)) {}

std::unique_ptr<Fetch> UrlSubjectSource::fetch(WallTime now, Done done) {
  http::Request request{
      .url = place_.url, .headers = place_.headers, .through_proxy = is_for_proxies(place_.url)};
  const auto read = [place = place_, now](const http::Reply& reply) -> TokenReply {
    if (const auto* error = std::get_if<http::TransportError>(&reply))
      return TokenError{error->message, error->retryable};
    const auto& response = std::get<http::Response>(reply);
    const std::string who = "the subject token server " + std::string(authority_of(place.url));
    if (response.status < 200 || response.status > 299) return refusal(response.status, who);
    return reply_from(response.body, place, "the answer of " + who, now);
  };
  return send_token_request(client_, std::move(request), read, std::move(done));
}

}  // namespace integcov::auth
