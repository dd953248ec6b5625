#include "auth/token_cache.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

namespace integcov::auth {
namespace {

class Waiter;
using Waiters = std::vector<Waiter*>;

// Knows the list it stands in, so that it can leave.
class Waiter final : public TokenCache::Wait {
 public:
  Waiter(Waiters& list, TokenCache::Done done) : done_(std::move(done)) { join(list); }
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;
  ~Waiter() override {
    if (list_ != nullptr) std::erase(*list_, this);
  }

  void join(Waiters& list) {
    list_ = &list;
    list.push_back(this);
  }
  // Leaves the list without a trace in it.
  TokenCache::Done leave() {
    list_ = nullptr;
    return std::move(done_);
  }

 private:
  Waiters* list_ = nullptr;
  TokenCache::Done done_;
};

void drop_all(Waiters& list) {
  for (Waiter* waiter : list) static_cast<void>(waiter->leave());
  list.clear();
}

}  // namespace

struct TokenCache::State {
  // Those who get the answer right now; on the stack of deliver().
  struct Delivery {
    Waiters waiters;
    bool cache_alive = true;
  };

  explicit State(std::unique_ptr<TokenSource> token_source) : source(std::move(token_source)) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    drop_all(waiting);
    if (delivery == nullptr) return;
    drop_all(delivery->waiters);
    delivery->cache_alive = false;
  }

  [[nodiscard]] bool is_fresh(WallTime now) const {
    const Duration spare = std::min<Duration>(std::chrono::seconds(225), lifetime / 2);
    return token && token->expires - now > spare;
  }

  void start(WallTime now) {
    asked_at = now;
    fetch = source->fetch(now, [this](TokenReply reply) { finish(std::move(reply)); });
  }

  void finish(TokenReply reply) {
    const auto finished = std::move(fetch);  // ends with this call; get() may start the next one
    if (const auto* fresh = std::get_if<Token>(&reply)) {
      token = *fresh;
      lifetime = fresh->expires - asked_at;
    } else if (token && token->expires - asked_at > kSurelyValid) {
      reply = *token;
    }
    deliver(reply);
  }

  void deliver(const TokenReply& reply) {
    Delivery now;
    for (Waiter* waiter : std::exchange(waiting, {})) waiter->join(now.waiters);
    delivery = &now;
    while (!now.waiters.empty()) {
      Waiter* next = now.waiters.front();
      now.waiters.erase(now.waiters.begin());
      const auto done = next->leave();
      done(reply);  // may destroy any Wait and the cache, or wait anew
    }
    if (now.cache_alive) delivery = nullptr;
  }

  // Nothing here reads a clock: an old token must outlast a slow refresh since it was asked for.
  static constexpr Duration kSurelyValid = std::chrono::seconds(15);

  std::unique_ptr<TokenSource> source;
  std::optional<Token> token;
  Duration lifetime{};
  WallTime asked_at;
  std::unique_ptr<Fetch> fetch;
  Waiters waiting;
  Delivery* delivery = nullptr;
};

TokenCache::TokenCache(std::unique_ptr<TokenSource> source)
    : state_(std::make_unique<State>(std::move(source))) {}

TokenCache::~TokenCache() = default;

std::optional<std::string> TokenCache::peek(WallTime now) const {
  if (!state_->is_fresh(now)) return std::nullopt;
  return state_->token->access_token;
}

std::unique_ptr<TokenCache::Wait> TokenCache::get(WallTime now, Done done) {
  auto waiter = std::make_unique<Waiter>(state_->waiting, std::move(done));
  if (state_->fetch == nullptr) state_->start(now);
  return waiter;
}

void TokenCache::invalidate(const std::string& access_token) {
  if (state_->token && state_->token->access_token == access_token) state_->token.reset();
}

}  // namespace integcov::auth
