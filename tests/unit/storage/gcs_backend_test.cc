#include "storage/gcs/gcs_backend.h"

#include "gcs_backend_fixture.h"

namespace integcov::storage::gcs {
namespace {

TEST_F(GcsBackendTest, StoresASmallFileWithOneRequest) {
  options_.metadata = {{"instance", "i-1"}};
  begin();
  EXPECT_EQ(client_.in_flight(), 0U) << "first the token";
  tokens_->deliver("secret");
  ASSERT_EQ(client_.in_flight(), 1U);
  EXPECT_TRUE(last().url.starts_with("https://storage.googleapis.com/upload/storage/v1/b/b/o?"));
  EXPECT_NE(last().url.find("&name=runs%2F1%2Fcovcounters.1&"), std::string::npos);
  EXPECT_EQ(header("Authorization"), "Bearer secret");
  EXPECT_EQ(header("Content-Type"), "multipart/related; boundary=boundary1");
  const std::string body = test::body_text(last());
  EXPECT_NE(body.find(R"("crc32c":"4waSgw==","metadata":{"instance":"i-1"})"), std::string::npos);
  EXPECT_FALSE(outcome_);
  client_.deliver(200, object());
  EXPECT_FALSE(stored().already_there);
  EXPECT_EQ(client_.requests.size(), 1U);
}

TEST_F(GcsBackendTest, WithoutAPrefixTheNameIsThePath) {
  options_.prefix = "";
  begin("sub/f");
  tokens_->deliver("secret");
  EXPECT_NE(last().url.find("&name=sub%2Ff&"), std::string::npos);
}

TEST_F(GcsBackendTest, OneTokenServesManyFiles) {
  begin_with_token();
  client_.deliver(200, object());
  begin("covcounters.2", 2);
  EXPECT_EQ(client_.in_flight(), 1U);
  EXPECT_EQ(tokens_->fetches, 1);
}

TEST_F(GcsBackendTest, SeveralFilesGoSideBySide) {
  begin_with_token();
  const auto first = std::move(attempt_);
  begin("covcounters.2", 2);
  EXPECT_EQ(client_.in_flight(), 2U);
  client_.deliver(503);
  EXPECT_TRUE(failed().retryable);
  client_.deliver(200, object());
  EXPECT_EQ(stored().note, "");
}

TEST_F(GcsBackendTest, AnEmulatorGetsNoCredentials) {
  options_.base_url = "http://localhost:4443";
  use(nullptr);
  begin();
  ASSERT_EQ(client_.in_flight(), 1U);
  EXPECT_EQ(header("Authorization"), "(none)");
  client_.deliver(401, "who are you");
  client_.deliver(401, "who are you");
  EXPECT_FALSE(failed().retryable);
  EXPECT_EQ(failed().reason, "HTTP 401: who are you");
}

TEST_F(GcsBackendTest, AllRequestsGoThroughAProxyOrNone) {
  for (const bool through_proxy : {true, false}) {
    options_.through_proxy = through_proxy;
    use(nullptr);
    backend_->prepare();
    EXPECT_EQ(last().through_proxy, through_proxy);
    begin();
    EXPECT_EQ(last().method, "POST");
    EXPECT_EQ(last().through_proxy, through_proxy);
  }
}

TEST_F(GcsBackendTest, TheQuotaProjectIsAHeaderUnlessTheUserPays) {
  options_.quota_project = "quota";
  begin_with_token();
  EXPECT_EQ(header("x-goog-user-project"), "quota");
  options_.user_project = "payer";
  use(cache_.get());
  begin();
  EXPECT_EQ(header("x-goog-user-project"), "(none)");
  EXPECT_NE(last().url.find("&userProject=payer"), std::string::npos);
}

TEST_F(GcsBackendTest, ARefusedTokenIsReplaced) {
  begin_with_token();
  client_.deliver(401);
  EXPECT_EQ(tokens_->fetches, 2);
  EXPECT_EQ(client_.in_flight(), 0U);
  tokens_->deliver("fresh");
  EXPECT_EQ(header("Authorization"), "Bearer fresh");
  client_.deliver(200, object());
  EXPECT_FALSE(stored().already_there);
}

TEST_F(GcsBackendTest, WithoutATokenTheAttemptFailsAsTheSourceSays) {
  for (const bool retryable : {true, false}) {
    begin();
    tokens_->answer(auth::TokenError{"the metadata server answered HTTP 503", retryable});
    EXPECT_EQ(failed().retryable, retryable);
    EXPECT_EQ(failed().reason, "no access token: the metadata server answered HTTP 503");
  }
  EXPECT_TRUE(client_.requests.empty());
  begin_with_token();
  client_.deliver(412);
  client_.deliver(200, object());
  EXPECT_TRUE(stored().already_there) << "nothing was ever sent";
}

TEST_F(GcsBackendTest, ALargeFileIsReadInSlicesWithoutBlockingTheLoop) {
  const std::string content = pattern(3 * ContentReader::kSlice + 5);
  files_.write("f", content);
  int turns = 0;
  event::Timer* again = nullptr;
  event::Timer watch(loop_, [&] {
    ++turns;
    if (turns < 100 && client_.in_flight() == 0) again->arm(Duration::zero());
  });
  again = &watch;
  use(nullptr);
  watch.arm(Duration::zero());
  begin();
  EXPECT_GE(turns, 3);
  EXPECT_LT(turns, 100);
  EXPECT_NE(test::body_text(last()).find(crc32c_base64(crc32c(0, content))), std::string::npos);
}

TEST_F(GcsBackendTest, TheNextAttemptResumesTheSession) {
  files_.write("f", pattern(kLarge));
  begin_with_token();
  client_.deliver(200, "", {{"Location", "/s?upload_id=1"}});
  EXPECT_EQ(header("Content-Range"), "bytes 0-8388608/8388609");
  client_.deliver(http::TransportError{"reset"});
  EXPECT_TRUE(failed().retryable);
  begin();
  EXPECT_EQ(last().url, "https://storage.googleapis.com/s?upload_id=1");
  EXPECT_EQ(header("Content-Range"), "bytes */8388609");
  EXPECT_EQ(header("Authorization"), "Bearer secret");
  client_.deliver(308, "", {{"Range", "bytes=0-262143"}});
  EXPECT_EQ(header("Content-Range"), "bytes 262144-8388608/8388609");
  client_.deliver(200, object());
  EXPECT_FALSE(stored().already_there);
}

TEST_F(GcsBackendTest, ACancelledAttemptIsResumedToo) {
  files_.write("f", pattern(kLarge));
  begin_with_token();
  client_.deliver(200, "", {{"Location", "/s?upload_id=1"}});
  attempt_.reset();
  EXPECT_EQ(client_.in_flight(), 0U);
  EXPECT_FALSE(outcome_);
  begin();
  EXPECT_EQ(header("Content-Range"), "bytes */8388609");
}

TEST_F(GcsBackendTest, AFileThatChangedBetweenAttemptsStartsAnew) {
  files_.write("f", pattern(kLarge));
  begin_with_token();
  client_.deliver(200, "", {{"Location", "/s?upload_id=1"}});
  client_.deliver(503);
  files_.append("f", "more");
  begin();
  EXPECT_NE(last().url.find("uploadType=resumable"), std::string::npos);
  EXPECT_EQ(header("X-Upload-Content-Length"), "8388613");
}

TEST_F(GcsBackendTest, ACoverageFileThatChangesWhileItIsSentIsNotStored) {
  use(nullptr);
  begin(kCounters);
  const std::string answer = object();
  files_.append("f", "more");
  client_.deliver(200, answer);
  EXPECT_TRUE(failed().retryable);
  EXPECT_EQ(failed().reason, "the file changed while it was read");
  begin(kCounters);
  EXPECT_NE(last().url.find("ifGenerationMatch=1&"), std::string::npos) << "the older one goes";
  client_.deliver(200, object());
  EXPECT_FALSE(stored().already_there);
}

TEST_F(GcsBackendTest, ALogThatGrowsWhileItIsSentIsStoredAsItWas) {
  use(nullptr);
  begin("app.log");
  const std::string content = files_.read("f");
  const std::string answer = object();
  files_.append("f", "more");
  EXPECT_NE(test::body_text(last()).find(crc32c_base64(crc32c(0, content))), std::string::npos);
  EXPECT_EQ(test::body_text(last()).find("more"), std::string::npos)
      << "no byte of what came later";
  client_.deliver(200, answer);
  EXPECT_FALSE(stored().already_there);
}

TEST_F(GcsBackendTest, ALogThatGrowsBetweenSlicesIsSentAsItWasAtFirst) {
  const std::string content = pattern(3 * ContentReader::kSlice);
  files_.write("f", content);
  use(nullptr);
  const Midway write(loop_, [&] {
    EXPECT_TRUE(client_.requests.empty()) << "it is still being read";
    files_.append("f", "more");
  });
  attempt_ = backend_->upload({.id = 1, .file = {.path = "app.log"}, .content = files_.open("f")},
                              [this](Outcome outcome) { outcome_ = std::move(outcome); });
  loop_.run();
  ASSERT_EQ(client_.in_flight(), 1U);
  client_.deliver(200, object(content));
  EXPECT_FALSE(stored().already_there);
}

TEST_F(GcsBackendTest, ALogThatIsCutOffWhileItIsSentIsTriedAgain) {
  use(nullptr);
  begin("app.log");
  const std::string answer = object();
  files_.write("f", "rotated");
  client_.deliver(200, answer);
  EXPECT_TRUE(failed().retryable);
  EXPECT_EQ(failed().reason, "the file changed while it was read");
}

TEST_F(GcsBackendTest, ASessionOnAnotherHostDoesNotSeeTheToken) {
  files_.write("f", pattern(kLarge));
  begin_with_token();
  client_.deliver(200, "", {{"Location", "https://elsewhere/s?upload_id=1"}});
  EXPECT_EQ(last().url, "https://elsewhere/s?upload_id=1");
  EXPECT_EQ(header("Authorization"), "(none)");
}

TEST_F(GcsBackendTest, WhatIsNoRegularFileFails) {
  std::filesystem::remove(files_.path("f"));
  std::filesystem::create_directory(files_.path("f"));
  begin();
  EXPECT_FALSE(failed().retryable);
  EXPECT_EQ(failed().reason, "not a regular file");
}

TEST_F(GcsBackendTest, DestroyingTheAttemptCancelsItAnywhere) {
  use(cache_.get());
  const auto never = [](const Outcome&) { ADD_FAILURE() << "cancelled"; };
  const auto start = [&] {
    return backend_->upload({.id = 9, .file = {.path = "f"}, .content = files_.open("f")}, never);
  };
  start().reset();  // before the first slice
  loop_.run();
  auto attempt = start();
  loop_.run();
  attempt.reset();  // while it waits for a token
  tokens_->deliver("secret");
  EXPECT_TRUE(client_.requests.empty());
  attempt = start();
  loop_.run();
  EXPECT_EQ(client_.in_flight(), 1U);
  attempt.reset();  // while it waits for an answer
  EXPECT_EQ(client_.in_flight(), 0U);
}

TEST_F(GcsBackendTest, DoneMayDestroyTheAttemptAndStartAnother) {
  use(nullptr);
  const auto request = [&] {
    return UploadRequest{.id = 1, .file = {.path = "f"}, .content = files_.open("f")};
  };
  attempt_ = backend_->upload(request(), [&](const Outcome&) {
    attempt_ = backend_->upload(request(), [&](Outcome outcome) { outcome_ = outcome; });
  });
  loop_.run();
  client_.deliver(503);
  EXPECT_FALSE(outcome_);
  loop_.run();
  client_.deliver(200, object());
  EXPECT_FALSE(stored().already_there);
}

// --- files that replicas share ------------------------------------------------------------------

const std::string kMeta = "covmeta.0123456789abcdef0123456789abcdef";

TEST_F(GcsBackendTest, ALargeCovmetaIsLookedForAndThenSentInOneRequest) {
  files_.write("f", pattern(kLarge));
  use(nullptr);
  begin(kMeta);
  EXPECT_EQ(last().method, "GET");
  client_.deliver(404);
  EXPECT_NE(last().url.find("uploadType=multipart"), std::string::npos);
  client_.deliver(200, object());
  EXPECT_FALSE(stored().already_there);
}

TEST_F(GcsBackendTest, WhoWantsChunksGetsASessionForItToo) {
  options_.chunk_size = 1 << 20;
  files_.write("f", pattern(kLarge));
  use(nullptr);
  begin(kMeta);
  client_.deliver(404);
  EXPECT_NE(last().url.find("uploadType=resumable"), std::string::npos);
}

}  // namespace
}  // namespace integcov::storage::gcs
