#include "auth/subject_token.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "support/fake_http_client.h"

namespace integcov::auth {
namespace {

using namespace std::chrono_literals;

const WallTime kNow{1'800'000'000s};

TEST(ExtractSubjectToken, TakesTheTextWithoutTheSpaceAroundIt) {
  EXPECT_EQ(*extract_subject_token("eyJ.a.b\n", ""), "eyJ.a.b");
  EXPECT_EQ(*extract_subject_token(" \t eyJ.a.b \r\n", ""), "eyJ.a.b");
  EXPECT_EQ(extract_subject_token(" \n", "").message(), "is empty");
}

TEST(ExtractSubjectToken, TakesAMemberOfAJsonObject) {
  EXPECT_EQ(*extract_subject_token(R"({"access_token":"eyJ"})", "access_token"), "eyJ");
  EXPECT_EQ(extract_subject_token("eyJ.SECRET", "t").message(), "holds no JSON object");
  for (const char* text : {"{}", R"({"t":1})", R"({"t":""})", R"({"u":"SECRET"})"})
    EXPECT_EQ(extract_subject_token(text, "t").message(), "has no text \"t\" in its JSON object");
}

struct FileSubjectTest : testing::Test {
  TokenReply ask() {
    std::optional<TokenReply> reply;
    const auto fetch = source.fetch(kNow, [&](TokenReply r) { reply = std::move(r); });
    EXPECT_FALSE(reply) << "done was called from inside fetch()";
    loop.run();
    return reply.value_or(TokenError{});
  }

  event::Loop loop;
  std::vector<std::string> paths;
  Result<std::string> content = Error{"No such file or directory"};
  FileSubjectSource source{loop, {.file = "/run/token"}, [this](const std::string& path) {
                             paths.push_back(path);
                             return content;
                           }};
};

TEST_F(FileSubjectTest, ReadsTheFileAnewEachTime) {
  content = std::string("first\n");
  EXPECT_EQ(std::get<Token>(ask()).access_token, "first");
  content = std::string("second\n");
  EXPECT_EQ(std::get<Token>(ask()).access_token, "second");
  EXPECT_EQ(paths, (std::vector<std::string>{"/run/token", "/run/token"}));
}

TEST_F(FileSubjectTest, AFileThatIsNotThereYetIsWorthAnotherTry) {
  auto error = std::get<TokenError>(ask());
  EXPECT_EQ(error.message, "the token file /run/token cannot be read: No such file or directory");
  EXPECT_TRUE(error.retryable);
  content = std::string();
  error = std::get<TokenError>(ask());
  EXPECT_EQ(error.message, "the token file /run/token is empty");
  EXPECT_TRUE(error.retryable);
}

TEST_F(FileSubjectTest, ADestroyedFetchNeverCalls) {
  content = std::string("x");
  source.fetch(kNow, [](const TokenReply&) { ADD_FAILURE(); }).reset();
  loop.run();
}

struct UrlSubjectTest : testing::Test {
  TokenReply ask(http::Reply with) {
    UrlSubjectSource source(client, place);
    std::optional<TokenReply> reply;
    const auto fetch = source.fetch(kNow, [&](TokenReply r) { reply = std::move(r); });
    EXPECT_FALSE(reply) << "done was called from inside fetch()";
    client.deliver(std::move(with));
    return reply.value_or(TokenError{});
  }

  test::FakeHttpClient client;
  SubjectTokenPlace place{.url = "http://169.254.169.254/token?v=1",
                          .headers = {{"Metadata", "True"}},
                          .json_field = "access_token"};
};

TEST_F(UrlSubjectTest, SendsItsHeadersAndPlainHttpNeverThroughAProxy) {
  const auto reply = ask(http::Response{200, {}, R"({"access_token":"eyJ"})"});
  EXPECT_EQ(std::get<Token>(reply).access_token, "eyJ");
  const auto& request = client.requests.at(0);
  EXPECT_EQ(request.method, "GET");
  EXPECT_EQ(request.url, "http://169.254.169.254/token?v=1");
  EXPECT_EQ(http::find_header(request.headers, "Metadata"), "True");
  EXPECT_FALSE(request.through_proxy);

  place.url = "https://idp.example/token";
  ask(http::Response{200, {}, ""});
  EXPECT_TRUE(client.requests.at(1).through_proxy);
}

TEST_F(UrlSubjectTest, ErrorsNameTheServerAndShowNothingOfTheAnswer) {
  const std::string who = "the subject token server 169.254.169.254";
  auto error = std::get<TokenError>(ask(http::Response{404, {}, "SECRET"}));
  EXPECT_EQ(error.message, who + " answered HTTP 404");
  EXPECT_FALSE(error.retryable);
  EXPECT_TRUE(std::get<TokenError>(ask(http::Response{503, {}, ""})).retryable);
  error = std::get<TokenError>(ask(http::Response{200, {}, "SECRET"}));
  EXPECT_EQ(error.message, "the answer of " + who + " holds no JSON object");
  error = std::get<TokenError>(
      ask(http::TransportError{.message = "cannot connect", .retryable = true}));
  EXPECT_EQ(error.message, "cannot connect");
  EXPECT_TRUE(error.retryable);
}

}  // namespace
}  // namespace integcov::auth
