// A GCS backend on a fake HTTP client and fake tokens.
#pragma once

#include <gtest/gtest.h>

#include "base/crc32c.h"
#include "event/timer.h"
#include "storage/content_reader.h"
#include "storage/gcs/gcs_backend.h"
#include "storage/gcs/requests.h"
#include "support/fake_http_client.h"
#include "test_files.h"

namespace integcov::storage::gcs {
using upload::Failed;
using upload::Outcome;
using upload::Stored;

inline const std::string kCounters = "covcounters.0123456789abcdef0123456789abcdef.1.2";
constexpr std::uint64_t kLarge = (8 << 20) + 1;  // needs a session

class FakeTokens : public auth::TokenSource {
 public:
  std::unique_ptr<auth::Fetch> fetch(WallTime now, Done done) override {
    ++fetches;
    now_ = now;
    done_ = std::move(done);
    return std::make_unique<auth::Fetch>();
  }
  void deliver(const std::string& token) {
    answer(auth::Token{token, now_ + std::chrono::hours(1)});
  }
  void answer(auth::TokenReply reply) { std::exchange(done_, nullptr)(std::move(reply)); }

  int fetches = 0;

 private:
  WallTime now_;
  Done done_;
};

class GcsBackendTest : public ::testing::Test {
 protected:
  GcsBackendTest() {
    auto source = std::make_unique<FakeTokens>();
    tokens_ = source.get();
    cache_ = std::make_unique<auth::TokenCache>(std::move(source));
    options_.bucket = "b";
    options_.prefix = "runs/1";
    files_.write("f", "123456789");
  }

  void use(auth::TokenCache* cache) {
    backend_ = std::make_unique<GcsBackend>(loop_, client_, cache, options_, [this] {
      return "boundary" + std::to_string(++boundaries_);
    });
  }
  // Starts an attempt at the file "f" and lets it run until it waits for a token or an answer.
  void begin(const std::string& name = "covcounters.1", upload::UploadId id = 1) {
    begin({.id = id, .file = {.path = name}});
  }
  void begin(UploadRequest request) {
    if (!backend_) use(cache_.get());
    outcome_.reset();
    request.content = files_.open("f");
    attempt_ = backend_->upload(std::move(request),
                                [this](Outcome outcome) { outcome_ = std::move(outcome); });
    EXPECT_FALSE(outcome_) << "done must not come from inside upload()";
    loop_.run();
  }
  void begin_with_token() {
    begin();
    if (client_.in_flight() == 0) tokens_->deliver("secret");
    ASSERT_EQ(client_.in_flight(), 1U);
  }

  [[nodiscard]] const http::Request& last() const { return client_.requests.back(); }
  [[nodiscard]] std::string header(const std::string& name) const {
    return std::string(http::find_header(last().headers, name).value_or("(none)"));
  }
  [[nodiscard]] std::string object() const { return object(files_.read("f")); }
  [[nodiscard]] static std::string object(const std::string& content, int generation = 1) {
    return R"({"size":")" + std::to_string(content.size()) + R"(","generation":")" +
           std::to_string(generation) + R"(","crc32c":")" + crc32c_base64(crc32c(0, content)) +
           "\"}";
  }
  Stored stored() {
    const auto* stored = outcome_ ? std::get_if<Stored>(&*outcome_) : nullptr;
    EXPECT_NE(stored, nullptr);
    return stored != nullptr ? *stored : Stored{false, "not stored"};
  }
  Failed failed() {
    const auto* failed = outcome_ ? std::get_if<Failed>(&*outcome_) : nullptr;
    EXPECT_NE(failed, nullptr);
    return failed != nullptr ? *failed : Failed{};
  }

  event::Loop loop_;
  TestFolder files_;
  test::FakeHttpClient client_;
  FakeTokens* tokens_ = nullptr;
  std::unique_ptr<auth::TokenCache> cache_;
  GcsOptions options_;
  int boundaries_ = 0;
  std::unique_ptr<GcsBackend> backend_;
  std::unique_ptr<Attempt> attempt_;
  std::optional<Outcome> outcome_;
};

}  // namespace integcov::storage::gcs
