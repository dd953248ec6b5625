// One HTTP request for a token: what the sources share.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "auth/token_source.h"
#include "http/client.h"

namespace integcov::auth {

// Sends the request; `read` turns what comes back into the answer for `done`.
std::unique_ptr<Fetch> send_token_request(http::Client& client, http::Request request,
                                          std::function<TokenReply(const http::Reply&)> read,
                                          TokenSource::Done done);

// A POST to a token endpoint (application/x-www-form-urlencoded) and its answer. `secrets` are kept
// out of error messages.
std::unique_ptr<Fetch> post_token_form(
    http::Client& client, const std::string& token_uri,
    const std::vector<std::pair<std::string_view, std::string>>& form,
    std::vector<std::string> secrets, WallTime now, TokenSource::Done done,
    http::Headers headers = {});

// Fetches a token and then, with its help, the one that `done` gets: `next` starts that. The first
// failure ends it.
using Start = std::function<std::unique_ptr<Fetch>(TokenSource::Done)>;
using Next = std::function<std::unique_ptr<Fetch>(Token, TokenSource::Done)>;
std::unique_ptr<Fetch> fetch_both(const Start& first, Next next, TokenSource::Done done);

}  // namespace integcov::auth
