// What the backend makes ready before the last uploads.
#include "gcs_backend_fixture.h"

namespace integcov::storage::gcs {
namespace {

class GcsBackendPrepare : public GcsBackendTest {
 protected:
  GcsBackendPrepare() { options_.warm_for = Duration::zero(); }

  // A connection that has served an upload.
  void begin_after_an_upload() {
    begin_with_token();
    client_.deliver(200, object());
    client_.requests.clear();
    backend_->prepare();
  }
  [[nodiscard]] std::string sent(std::size_t i) const {
    const http::Request& request = client_.requests.at(i);
    std::string what = request.url.ends_with("/batch/storage/v1") ? "wake" : request.method;
    return request.fresh_connection ? what + " anew" : what;
  }
};

TEST_F(GcsBackendPrepare, LooksOverANewConnectionAndThenWakesTheIdleOne) {
  begin_after_an_upload();
  ASSERT_EQ(client_.in_flight(), 1U);
  EXPECT_EQ(sent(0), "GET anew");
  EXPECT_TRUE(last().url.starts_with(
      "https://storage.googleapis.com/storage/v1/b/b/o/runs%2F1%2Fcovmeta?"));
  EXPECT_EQ(header("Authorization"), "Bearer secret");
  client_.deliver(403, "no");
  ASSERT_EQ(client_.in_flight(), 1U);
  EXPECT_EQ(sent(1), "wake");
  EXPECT_EQ(header("Authorization"), "Bearer secret");
  EXPECT_GE(http::body_size(last().body), kWakeBytes);
  client_.deliver(404);
  EXPECT_EQ(client_.in_flight(), 0U);
  EXPECT_EQ(tokens_->fetches, 1);
}

TEST_F(GcsBackendPrepare, AnUploadThatComesFirstIsNotDisturbed) {
  begin_after_an_upload();
  begin(kCounters, 2);
  client_.deliver(403, "no");
  EXPECT_EQ(client_.requests.size(), 2U) << "the look and the upload";
  client_.deliver(200, object());
  EXPECT_EQ(stored().note, "");
}

TEST_F(GcsBackendPrepare, AnUploadDoesNotWaitForTheAnswerToTheWaking) {
  begin_after_an_upload();
  client_.deliver(403, "no");
  begin(kCounters, 2);
  EXPECT_EQ(client_.in_flight(), 2U);
}

TEST_F(GcsBackendPrepare, WithoutAConnectionThatLivesTwoNewOnesAreMade) {
  use(cache_.get());
  backend_->prepare();
  EXPECT_TRUE(client_.requests.empty()) << "first the token";
  tokens_->deliver("secret");
  ASSERT_EQ(client_.in_flight(), 2U);
  EXPECT_EQ(sent(0), "wake anew");
  EXPECT_EQ(sent(1), "GET anew");
  client_.deliver(200);
  client_.deliver(404);
  EXPECT_EQ(client_.requests.size(), 2U);
  begin();
  EXPECT_EQ(last().method, "POST");
  EXPECT_EQ(tokens_->fetches, 1);
}

TEST_F(GcsBackendPrepare, WhereTheWindowStaysNothingIsWoken) {
  client_.windows_stay = true;
  begin_after_an_upload();
  EXPECT_EQ(sent(0), "GET anew");
  client_.deliver(404);
  EXPECT_EQ(client_.requests.size(), 1U);
}

TEST_F(GcsBackendPrepare, AnEmulatorIsNotWoken) {
  use(nullptr);
  backend_->prepare();
  ASSERT_EQ(client_.in_flight(), 1U);
  client_.deliver(404);
  EXPECT_EQ(client_.requests.size(), 1U);
}

TEST_F(GcsBackendPrepare, ATokenThatIsRefusedThenIsReplacedInTime) {
  begin_after_an_upload();
  client_.deliver(401);
  EXPECT_EQ(tokens_->fetches, 2);
  tokens_->deliver("fresh");
  EXPECT_EQ(client_.in_flight(), 0U) << "one look is enough";
  begin(kCounters, 2);
  EXPECT_EQ(header("Authorization"), "Bearer fresh");
}

TEST_F(GcsBackendPrepare, NothingIsDoneRightAfterAnAnswer) {
  options_.warm_for = std::chrono::hours(1);
  begin_after_an_upload();
  EXPECT_EQ(client_.requests.size(), 0U);
}

TEST_F(GcsBackendPrepare, WhatFailsIsNobodysBusiness) {
  use(cache_.get());
  backend_->prepare();
  tokens_->answer(auth::TokenError{"the metadata server answered HTTP 503", true});
  EXPECT_TRUE(client_.requests.empty());
  backend_->prepare();
  tokens_->deliver("secret");
  client_.deliver(http::TransportError{"reset"});
  client_.deliver(http::TransportError{"reset"});
  EXPECT_EQ(client_.in_flight(), 0U);
  backend_->prepare();
  EXPECT_EQ(client_.in_flight(), 2U);
  backend_.reset();
  EXPECT_EQ(client_.in_flight(), 0U);
}

}  // namespace
}  // namespace integcov::storage::gcs
