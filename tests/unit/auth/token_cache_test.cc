#include "auth/token_cache.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace integcov::auth {
namespace {

using namespace std::chrono_literals;

// A source whose fetches end when the test says so.
struct FakeSource final : TokenSource {
  struct FakeFetch final : Fetch {
    explicit FakeFetch(FakeSource& owner) : source(owner) {}
    FakeFetch(const FakeFetch&) = delete;
    FakeFetch& operator=(const FakeFetch&) = delete;
    ~FakeFetch() override {
      if (source.running == this) source.running = nullptr;
    }
    FakeSource& source;
  };

  std::unique_ptr<Fetch> fetch(WallTime, Done then) override {
    ++fetches;
    done = std::move(then);
    auto fetch = std::make_unique<FakeFetch>(*this);
    running = fetch.get();
    return fetch;
  }
  void end(TokenReply reply) {
    ASSERT_NE(running, nullptr);
    running = nullptr;
    const auto then = std::move(done);
    then(std::move(reply));
  }

  int fetches = 0;
  Fetch* running = nullptr;
  Done done;
};

// The cache owns its source; the test keeps the other end.
struct Link final : TokenSource {
  explicit Link(FakeSource& to) : source(to) {}
  std::unique_ptr<Fetch> fetch(WallTime now, Done done) override {
    return source.fetch(now, std::move(done));
  }
  FakeSource& source;
};

struct TokenCacheTest : testing::Test {
  TokenCache::Done note(std::string name) {
    return [this, name](const TokenReply& reply) {
      const auto* token = std::get_if<Token>(&reply);
      said.push_back(
          name + ": " +
          (token != nullptr ? token->access_token : std::get<TokenError>(reply).message));
    };
  }
  void fill(const std::string& token, Duration lifetime) {
    const auto wait = cache->get(now, [](const TokenReply&) {});
    source.end(Token{token, now + lifetime});
  }

  WallTime now{1'800'000'000s};
  FakeSource source;
  std::unique_ptr<TokenCache> cache = std::make_unique<TokenCache>(std::make_unique<Link>(source));
  std::vector<std::string> said;
};

using Said = std::vector<std::string>;

TEST_F(TokenCacheTest, KeepsATokenUntil225SecondsBeforeItsEnd) {
  EXPECT_EQ(cache->peek(now), std::nullopt);
  fill("first", 3600s);
  EXPECT_EQ(cache->peek(now), "first");
  EXPECT_EQ(cache->peek(now + 3374s), "first");
  EXPECT_EQ(cache->peek(now + 3375s), std::nullopt);
}

TEST_F(TokenCacheTest, KeepsAShortLivedTokenForHalfItsLife) {
  fill("short", 100s);
  EXPECT_EQ(cache->peek(now + 49s), "short");
  EXPECT_EQ(cache->peek(now + 50s), std::nullopt);
}

TEST_F(TokenCacheTest, AllWhoWaitShareOneRefresh) {
  const auto a = cache->get(now, note("a"));
  const auto b = cache->get(now, note("b"));
  const auto c = cache->get(now + 1s, note("c"));
  EXPECT_EQ(source.fetches, 1);
  EXPECT_TRUE(said.empty());
  source.end(Token{"t", now + 3600s});
  EXPECT_EQ(said, (Said{"a: t", "b: t", "c: t"}));
  EXPECT_EQ(cache->peek(now), "t");
}

TEST_F(TokenCacheTest, AFailureReachesAllAndTheNextGetTriesAgain) {
  const auto a = cache->get(now, note("a"));
  const auto b = cache->get(now, note("b"));
  source.end(TokenError{"HTTP 503"});
  EXPECT_EQ(said, (Said{"a: HTTP 503", "b: HTTP 503"}));
  const auto again = cache->get(now, note("again"));
  EXPECT_EQ(source.fetches, 2);
}

TEST_F(TokenCacheTest, AFailedRefreshAnswersWithTheOldTokenWhileThatIsValid) {
  fill("old", 3600s);
  const auto early = cache->get(now + 3500s, note("early"));
  source.end(TokenError{"HTTP 503"});
  const auto late = cache->get(now + 3601s, note("late"));
  source.end(TokenError{"HTTP 503"});
  EXPECT_EQ(said, (Said{"early: old", "late: HTTP 503"}));
}

TEST_F(TokenCacheTest, ARefusedTokenIsForgottenAndNotFallenBackTo) {
  fill("refused", 3600s);
  cache->invalidate("another");
  EXPECT_EQ(cache->peek(now), "refused");
  cache->invalidate("refused");
  EXPECT_EQ(cache->peek(now), std::nullopt);
  const auto wait = cache->get(now, note("a"));
  source.end(TokenError{"HTTP 503"});
  EXPECT_EQ(said, (Said{"a: HTTP 503"}));
}

TEST_F(TokenCacheTest, ADestroyedWaitIsNotCalledAndTheOthersAre) {
  auto a = cache->get(now, note("a"));
  const auto b = cache->get(now, note("b"));
  a.reset();
  source.end(Token{"t", now + 1h});
  EXPECT_EQ(said, (Said{"b: t"}));
}

TEST_F(TokenCacheTest, ARefreshThatNobodyWaitsForStillFillsTheCache) {
  cache->get(now, note("a")).reset();
  source.end(Token{"t", now + 1h});
  EXPECT_TRUE(said.empty());
  EXPECT_EQ(cache->peek(now), "t");
}

TEST_F(TokenCacheTest, DestroyingTheCacheCancelsTheRefreshAndTheWaitsOutliveIt) {
  const auto wait = cache->get(now, note("a"));
  cache.reset();
  EXPECT_EQ(source.running, nullptr);
  EXPECT_TRUE(said.empty());
}

TEST_F(TokenCacheTest, ACallbackMayEndItsOwnAndOtherWaits) {
  std::unique_ptr<TokenCache::Wait> a;
  std::unique_ptr<TokenCache::Wait> b;
  a = cache->get(now, [&](const TokenReply&) {
    said.emplace_back("a");
    a.reset();
    b.reset();
  });
  b = cache->get(now, note("b"));
  const auto c = cache->get(now, note("c"));
  source.end(Token{"t", now + 1h});
  EXPECT_EQ(said, (Said{"a", "c: t"}));
}

TEST_F(TokenCacheTest, ACallbackMayWaitAnewAndGetsTheNextRefresh) {
  std::unique_ptr<TokenCache::Wait> again;
  const auto a = cache->get(now, [&](const TokenReply&) {
    said.emplace_back("a");
    again = cache->get(now, note("again"));
  });
  const auto b = cache->get(now, note("b"));
  source.end(TokenError{"HTTP 503"});
  EXPECT_EQ(said, (Said{"a", "b: HTTP 503"}));
  EXPECT_EQ(source.fetches, 2);
  source.end(Token{"t", now + 1h});
  EXPECT_EQ(said.back(), "again: t");
}

TEST_F(TokenCacheTest, ACallbackMayInvalidateTheTokenItGot) {
  const auto a = cache->get(now, [&](const TokenReply&) { cache->invalidate("t"); });
  const auto b = cache->get(now, note("b"));
  source.end(Token{"t", now + 1h});
  EXPECT_EQ(said, (Said{"b: t"}));
  EXPECT_EQ(cache->peek(now), std::nullopt);
}

TEST_F(TokenCacheTest, ACallbackMayDestroyTheCacheAndNobodyElseIsCalled) {
  const auto a = cache->get(now, [&](const TokenReply&) {
    said.emplace_back("a");
    cache.reset();
  });
  const auto b = cache->get(now, note("b"));
  source.end(Token{"t", now + 1h});
  EXPECT_EQ(said, (Said{"a"}));
}

}  // namespace
}  // namespace integcov::auth
