// Where OAuth 2.0 access tokens come from.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <variant>

#include "base/time.h"

namespace integcov::auth {

struct Token {
  std::string access_token;  // never logged
  WallTime expires;
};

struct TokenError {
  std::string message;  // a clause for the user: "the metadata server answered HTTP 503"
  bool retryable = true;
};

using TokenReply = std::variant<Token, TokenError>;

// A fetch under way. Destroying it cancels; `done` is then never called.
class Fetch {
 public:
  virtual ~Fetch() = default;
};

// Fetches a token each time it is asked; TokenCache keeps it. One try: the caller retries.
class TokenSource {
 public:
  // Called once, from the event loop, never from inside fetch(). It may destroy the Fetch.
  using Done = std::function<void(TokenReply)>;

  virtual ~TokenSource() = default;
  // `now` is the wall time: JWTs carry it, and `expires` counts from it.
  virtual std::unique_ptr<Fetch> fetch(WallTime now, Done done) = 0;
};

}  // namespace integcov::auth
