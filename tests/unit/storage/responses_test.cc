#include "storage/gcs/responses.h"

#include <gtest/gtest.h>

namespace integcov::storage::gcs {
namespace {

using namespace std::chrono_literals;

http::Response answer(int status, std::string body, http::Headers headers = {}) {
  return {.status = status, .headers = std::move(headers), .body = std::move(body)};
}

constexpr const char* kRateLimit =
    R"({"error":{"code":403,"message":"Slow down.","errors":[{"reason":"rateLimitExceeded"}]}})";

TEST(ParseObject, ReadsNumbersWrittenAsStrings) {
  const auto object = parse_object(
      R"({"kind":"storage#object","size":"12","generation":"1700000000000001","crc32c":"4waSgw=="})");
  ASSERT_TRUE(object);
  EXPECT_EQ(object->size, 12U);
  EXPECT_EQ(object->generation, 1700000000000001U);
  EXPECT_EQ(object->crc32c, "4waSgw==");
}

TEST(ParseObject, ReadsPlainNumbers) {
  const auto object = parse_object(R"({"size":12,"generation":3})");
  ASSERT_TRUE(object);
  EXPECT_EQ(object->size, 12U);
  EXPECT_EQ(object->generation, 3U);
}

TEST(ParseObject, AMissingSizeIsThatOfAnEmptyObject) {
  const auto object = parse_object(R"({"name":"a"})");
  ASSERT_TRUE(object);
  EXPECT_EQ(object->size, 0U);
  EXPECT_FALSE(object->crc32c);
  EXPECT_FALSE(object->generation);
}

TEST(ParseObject, RefusesWhatIsNoObjectResource) {
  for (const char* text : {"", "[]", "7", "{", "<html>", R"({"size":"12x"})", R"({"size":""})",
                           R"({"size":"-1"})", R"({"generation":{}})", R"({"crc32c":7})"}) {
    EXPECT_FALSE(parse_object(text)) << text;
  }
}

TEST(ParseError, TakesMessageAndReasonFromJson) {
  const auto error = parse_error(answer(403, kRateLimit));
  EXPECT_EQ(error.message, "Slow down.");
  EXPECT_EQ(error.reason, "rateLimitExceeded");
}

TEST(ParseError, TakesTheFirstLineOfPlainText) {
  EXPECT_EQ(describe(answer(503, "\r\nInvalid request.  Offset\r\nmore")),
            "HTTP 503: Invalid request. Offset");
}

TEST(ParseError, NamesTheStatusWhenTheBodySaysNothing) {
  EXPECT_EQ(describe(answer(503, "")), "HTTP 503: Service Unavailable");
  EXPECT_EQ(describe(answer(502, "<!DOCTYPE html>\n<title>502</title>")), "HTTP 502: Bad Gateway");
  EXPECT_EQ(describe(answer(404, "{}")), "HTTP 404: Not Found");
  EXPECT_EQ(describe(answer(404, R"({"error":{"message":7,"errors":[]}})")), "HTTP 404: Not Found");
  EXPECT_EQ(describe(answer(418, "")), "HTTP 418: unexpected answer");
}

TEST(OneLine, KeepsAServerFromForgingLogLines) {
  EXPECT_EQ(one_line("a\nERROR: b\t\tc\x1b[2J"), "a ERROR: b c\\x1b[2J");
}

TEST(OneLine, CutsBetweenCharacters) {
  std::string text(199, 'a');
  text += "\u00e9\u00e9";
  EXPECT_EQ(one_line(text), std::string(199, 'a'));
  EXPECT_EQ(one_line(std::string(500, 'a')).size(), 200U);
}

TEST(Classification, ForbiddenMayMeanTooFast) {
  EXPECT_TRUE(is_temporary(answer(403, kRateLimit)));
  EXPECT_TRUE(is_rate_limited(answer(403, kRateLimit)));
  EXPECT_FALSE(is_temporary(answer(403, R"({"error":{"errors":[{"reason":"forbidden"}]}})")));
  EXPECT_FALSE(is_temporary(answer(403, "")));
}

TEST(Classification, KnowsTheTemporaryStatuses) {
  for (const int status : {408, 429, 500, 502, 503, 504}) {
    EXPECT_TRUE(is_temporary(answer(status, ""))) << status;
  }
  for (const int status : {200, 308, 400, 401, 404, 409, 410, 412, 413, 416}) {
    EXPECT_FALSE(is_temporary(answer(status, ""))) << status;
  }
}

TEST(Classification, KnowsAChecksumRefusal) {
  const char* body =
      R"({"error":{"message":"Provided CRC32C \"a\" doesn't match calculated CRC32C \"b\"."}})";
  EXPECT_TRUE(is_checksum_refusal(answer(400, body)));
  EXPECT_FALSE(is_checksum_refusal(answer(412, body)));
  EXPECT_FALSE(is_checksum_refusal(answer(400, "Invalid CRC32C")));
}

TEST(RetryAfter, UnderstandsSeconds) {
  EXPECT_EQ(retry_after({{"retry-after", "7"}}), Duration(7s));
  EXPECT_EQ(retry_after({{"Retry-After", " 0 "}}), Duration(0s));
  EXPECT_EQ(retry_after({{"Retry-After", "18446744073709551615"}}), Duration(24h));
}

TEST(RetryAfter, IgnoresTheRest) {
  EXPECT_FALSE(retry_after({}));
  for (const char* text :
       {"", "-1", "1.5", "99999999999999999999", "Mon, 23 Nov 2026 00:00:00 GMT"}) {
    EXPECT_FALSE(retry_after({{"Retry-After", text}})) << text;
  }
}

TEST(PersistedBytes, CountsFromTheLastByte) {
  EXPECT_EQ(persisted_bytes({{"range", "bytes=0-262143"}}), 262144U);
  EXPECT_EQ(persisted_bytes({{"Range", "bytes=0-0"}}), 1U);
  EXPECT_EQ(persisted_bytes({}), 0U);
}

TEST(PersistedBytes, RefusesOtherForms) {
  for (const char* text : {"", "bytes=1-5", "bytes=0-", "0-5", "bytes=0-5,7-9", "bytes=0--1",
                           "bytes 0-5", "bytes=0-18446744073709551615"}) {
    EXPECT_EQ(persisted_bytes({{"Range", text}}), std::nullopt) << text;
  }
}

TEST(ResolveLocation, TakesAnAbsoluteOneVerbatim) {
  const std::string url = "https://other:8080/upload?upload_id=A%2Fb";
  EXPECT_EQ(resolve_location("https://storage.googleapis.com/x", url), url);
}

TEST(ResolveLocation, ResolvesRelativeOnes) {
  const char* request = "http://h:1/prefix/upload?a=b";
  EXPECT_EQ(resolve_location(request, "/s?upload_id=1"), "http://h:1/s?upload_id=1");
  EXPECT_EQ(resolve_location(request, "?upload_id=1"), "http://h:1/prefix/upload?upload_id=1");
  EXPECT_EQ(resolve_location(request, "//o/s"), "http://o/s");
}

TEST(ResolveLocation, RefusesWhatNoRequestCanBeSentTo) {
  for (const char* location : {"", " ", "ftp://h/", "https://", "https:///x", "http://h/a b",
                               "http://h/\r\nX: y", "https://user@h/", "file:///etc/passwd"}) {
    EXPECT_EQ(resolve_location("https://h/", location), std::nullopt) << location;
  }
}

TEST(UrlOrigin, EndsBeforeThePath) {
  EXPECT_EQ(url_origin("https://h:443/a/b?c://d"), "https://h:443");
  EXPECT_EQ(url_origin("http://h?x"), "http://h");
  EXPECT_EQ(url_origin("h/a"), "");
}

}  // namespace
}  // namespace integcov::storage::gcs
