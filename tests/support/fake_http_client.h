// An http::Client for tests: keeps the requests and answers them when the test says so.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "http/client.h"

namespace integcov::test {

class FakeHttpClient final : public http::Client {
 public:
  // Every request so far, cancelled ones too.
  std::vector<http::Request> requests;

  std::unique_ptr<http::Exchange> start(http::Request request, Done done) override {
    requests.push_back(std::move(request));
    auto exchange = std::make_unique<FakeExchange>(*this, std::move(done));
    pending_.push_back(exchange.get());
    return exchange;
  }

  bool windows_stay = false;
  [[nodiscard]] bool keeps_windows() const override { return windows_stay; }

  [[nodiscard]] std::size_t in_flight() const { return pending_.size(); }

  // Answers the oldest request in flight; false if there is none.
  bool deliver(http::Reply reply) {
    if (pending_.empty()) return false;
    FakeExchange* exchange = pending_.front();
    pending_.erase(pending_.begin());
    exchange->client = nullptr;
    const auto done = std::move(exchange->done);  // it may destroy the exchange
    done(std::move(reply));
    return true;
  }
  bool deliver(int status, std::string body = "", http::Headers headers = {}) {
    return deliver(http::Response{status, std::move(headers), std::move(body)});
  }

 private:
  struct FakeExchange final : http::Exchange {
    FakeExchange(FakeHttpClient& owner, Done then) : client(&owner), done(std::move(then)) {}
    FakeExchange(const FakeExchange&) = delete;
    FakeExchange& operator=(const FakeExchange&) = delete;
    ~FakeExchange() override {
      if (client != nullptr) std::erase(client->pending_, this);
    }
    FakeHttpClient* client;
    Done done;
  };

  std::vector<FakeExchange*> pending_;
};

// The text parts of a body, joined.
inline std::string body_text(const http::Request& request) {
  std::string text;
  for (const auto& part : request.body)
    if (const auto* piece = std::get_if<std::string>(&part)) text += *piece;
  return text;
}

}  // namespace integcov::test
