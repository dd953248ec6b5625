// Keeps the access token and shares one refresh among all who wait for it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "auth/token_source.h"

namespace integcov::auth {

class TokenCache {
 public:
  // A caller that waits. Destroying it cancels its waiting, not the refresh that others share.
  class Wait {
   public:
    virtual ~Wait() = default;
  };
  using Done = std::function<void(TokenReply)>;

  explicit TokenCache(std::unique_ptr<TokenSource> source);
  ~TokenCache();

  // The token at hand if it needs no refresh: more than min(225 s, half its lifetime) is left
  // (goauth auth.go defaultExpiryDelta).
  [[nodiscard]] std::optional<std::string> peek(WallTime now) const;

  // Joins the refresh under way or starts one. `done` is called once, from the event loop, never
  // from inside get(); it may destroy its Wait and call any method of the cache. A failed refresh
  // while the old token is still valid answers with the old token.
  std::unique_ptr<Wait> get(WallTime now, Done done);

  // A server refused this token (HTTP 401): forget it if it is still the one at hand.
  void invalidate(const std::string& access_token);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace integcov::auth
