// Puts together the source that credentials ask for.
#pragma once

#include <memory>

#include "auth/credentials.h"
#include "auth/token_source.h"
#include "event/loop.h"
#include "http/client.h"

namespace integcov::auth {

// Tokens for storage in the credentials' universe. Loop and client must outlive the source.
std::unique_ptr<TokenSource> make_token_source(event::Loop& loop, http::Client& client,
                                               const Credentials& credentials);

}  // namespace integcov::auth
