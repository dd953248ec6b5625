// Answers of token endpoints (RFC 6749 section 5), the metadata server and IAM.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "auth/token_source.h"
#include "http/message.h"

namespace integcov::auth {

// `who` begins the error's clause: "the token server oauth2.googleapis.com". `now` is when the
// request was made. What the server says about an error is shown, unless it repeats one of the
// request's `secrets`; the answer's body never is.
TokenReply read_token_reply(const http::Response& response, WallTime now, std::string_view who,
                            std::span<const std::string> secrets = {});

// The answer of IAM's generateAccessToken. Its expiry is the server's word, but not after `latest`.
TokenReply read_impersonation_reply(const http::Response& response, WallTime latest,
                                    std::string_view who, std::span<const std::string> secrets);

// An HTTP status that tells no more than itself.
TokenError refusal(int status, std::string_view who);

}  // namespace integcov::auth
