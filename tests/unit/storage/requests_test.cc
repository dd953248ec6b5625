#include "storage/gcs/requests.h"

#include <gtest/gtest.h>

#include "base/crc32c.h"

namespace integcov::storage::gcs {
namespace {

ObjectSpec spec() {
  return {.base_url = "https://storage.googleapis.com",
          .bucket = "my-bucket",
          .name = "a folder/covmeta.1",
          .size = 9,
          .crc32c = crc32c(0, "123456789"),
          .boundary = "B"};
}

std::string text(const http::BodyPart& part) { return std::get<std::string>(part); }

TEST(Requests, MultipartCarriesMetadataAndContent) {
  const http::Request request = multipart_request(spec(), 0, 7);
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.url,
            "https://storage.googleapis.com/upload/storage/v1/b/my-bucket/o?uploadType=multipart"
            "&name=a%20folder%2Fcovmeta.1&ifGenerationMatch=0&fields=name,size,crc32c,generation");
  EXPECT_EQ(http::find_header(request.headers, "Content-Type"), "multipart/related; boundary=B");
  ASSERT_EQ(request.body.size(), 3U);
  EXPECT_EQ(text(request.body[0]),
            "--B\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n"
            R"({"name":"a folder/covmeta.1","contentType":"application/octet-stream",)"
            R"("crc32c":"4waSgw=="})"
            "\r\n--B\r\nContent-Type: application/octet-stream\r\n\r\n");
  const auto& range = std::get<http::FileRange>(request.body[1]);
  EXPECT_EQ(range.fd, 7);
  EXPECT_EQ(range.offset, 0U);
  EXPECT_EQ(range.length, 9U);
  EXPECT_EQ(text(request.body[2]), "\r\n--B--\r\n");
}

TEST(Requests, AnEmptyFileHasAnEmptyPart) {
  ObjectSpec empty = spec();
  empty.size = 0;
  const http::Request request = multipart_request(empty, 0, 7);
  ASSERT_EQ(request.body.size(), 2U);
  EXPECT_TRUE(text(request.body[0]).ends_with("octet-stream\r\n\r\n"));
}

TEST(Requests, OptionsOfTheUser) {
  ObjectSpec paid = spec();
  paid.base_url = "http://localhost:4443/gcs";
  paid.user_project = "p/1";
  paid.kms_key = "projects/p/k";
  paid.metadata = {{"instance", "a\"b"}, {"run", "1"}};
  const http::Request request = multipart_request(paid, 42, 7);
  EXPECT_EQ(request.url,
            "http://localhost:4443/gcs/upload/storage/v1/b/my-bucket/o?uploadType=multipart"
            "&name=a%20folder%2Fcovmeta.1&ifGenerationMatch=42"
            "&fields=name,size,crc32c,generation&userProject=p%2F1&kmsKeyName=projects%2Fp%2Fk");
  EXPECT_NE(text(request.body[0]).find(R"(,"metadata":{"instance":"a\"b","run":"1"}})"),
            std::string::npos);
  EXPECT_EQ(look_request(paid).url,
            "http://localhost:4443/gcs/storage/v1/b/my-bucket/o/a%20folder%2Fcovmeta.1"
            "?fields=name,size,crc32c,generation&userProject=p%2F1");
}

TEST(Requests, StartAnnouncesSizeAndChecksum) {
  const http::Request request = start_request(spec(), 5);
  EXPECT_EQ(request.method, "POST");
  EXPECT_NE(request.url.find("uploadType=resumable"), std::string::npos);
  EXPECT_NE(request.url.find("ifGenerationMatch=5"), std::string::npos);
  EXPECT_EQ(http::find_header(request.headers, "X-Upload-Content-Length"), "9");
  EXPECT_EQ(http::find_header(request.headers, "X-Upload-Content-Type"),
            "application/octet-stream");
  ASSERT_EQ(request.body.size(), 1U);
  EXPECT_NE(text(request.body[0]).find(R"("crc32c":"4waSgw==")"), std::string::npos);
}

TEST(Requests, DataNamesItsRange) {
  const http::Request request = data_request(spec(), "http://s/?upload_id=1", 2, 3, 7);
  EXPECT_EQ(request.method, "PUT");
  EXPECT_EQ(request.url, "http://s/?upload_id=1");
  EXPECT_EQ(http::find_header(request.headers, "Content-Range"), "bytes 2-4/9");
  EXPECT_EQ(std::get<http::FileRange>(request.body.at(0)).offset, 2U);
  EXPECT_EQ(http::body_size(request.body), 3U);
}

TEST(Requests, StatusHasNoBody) {
  const http::Request request = status_request(spec(), "http://s/?upload_id=1");
  EXPECT_EQ(request.method, "PUT");
  EXPECT_EQ(http::find_header(request.headers, "Content-Range"), "bytes */9");
  EXPECT_TRUE(request.body.empty());
}

TEST(Requests, TheWakingOneIsALookInABatchBehindMuchThatIsIgnored) {
  const http::Request request = wake_request(spec());
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.url, spec().base_url + "/batch/storage/v1");
  EXPECT_EQ(http::find_header(request.headers, "Content-Type"),
            "multipart/mixed; boundary=" + spec().boundary);
  const std::string body = text(request.body.at(0));
  EXPECT_GT(body.size(), kWakeBytes);
  const std::string path = look_request(spec()).url.substr(spec().base_url.size());
  EXPECT_EQ(body.substr(body.find("--" + spec().boundary)),
            "--" + spec().boundary + "\r\nContent-Type: application/http\r\n\r\nGET " + path +
                " HTTP/1.1\r\n\r\n\r\n--" + spec().boundary + "--\r\n");
}

TEST(UnfitName, FindsWhatGcsRefuses) {
  const auto with_name = [](std::string name) {
    ObjectSpec named = spec();
    named.name = std::move(name);
    return unfit_name(named);
  };
  EXPECT_EQ(with_name("a b#?%/\u00e9"), "");
  EXPECT_EQ(with_name(std::string(1024, 'a')), "");
  EXPECT_EQ(with_name(std::string(1025, 'a')), "the object name is longer than 1024 bytes");
  EXPECT_EQ(with_name(""), "the object name is empty");
  EXPECT_EQ(with_name("\xff"), "the object name is not valid UTF-8");
  EXPECT_EQ(with_name("a\nb"), "the object name has a line break in it");
}

TEST(DisplayUrl, IsPrintable) {
  ObjectSpec odd = spec();
  odd.name = "a\x1b";
  EXPECT_EQ(display_url(odd), "gs://my-bucket/a\\x1b");
}

}  // namespace
}  // namespace integcov::storage::gcs
