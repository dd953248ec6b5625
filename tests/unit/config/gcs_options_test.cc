#include "config/gcs_options.h"

#include <gtest/gtest.h>

namespace integcov::config {
namespace {

TEST(Project, IsAnId) {
  for (const char* good : {"my-project-123", "123456789012", "example.com:my-project"}) {
    const Result<std::string> project = parse_project(good);
    ASSERT_TRUE(project.ok()) << good;
    EXPECT_EQ(*project, good);
  }
  for (const char* bad :
       {"", "my project", "a&b=c", "a:", ":a", "a:b:c", "projects/a", "ä", "a\n"}) {
    EXPECT_FALSE(parse_project(bad).ok()) << bad;
  }
  EXPECT_EQ(parse_project("a b").message(),
            "\"a b\" is not a project; expected an id such as my-project-123");
}

TEST(KmsKey, HasItsFullName) {
  const std::string good = "projects/p-1/locations/eu/keyRings/r/cryptoKeys/k_1";
  ASSERT_TRUE(parse_kms_key(good).ok());
  EXPECT_EQ(*parse_kms_key(good), good);
  EXPECT_TRUE(parse_kms_key("projects/a.com:p/locations/eu/keyRings/r/cryptoKeys/k").ok());
  for (const std::string& bad :
       {std::string("k"), std::string(""), "/" + good, good + "/", good + "/cryptoKeyVersions/1",
        std::string("projects//locations/eu/keyRings/r/cryptoKeys/k"),
        std::string("projects/p/locations/eu/keyrings/r/cryptoKeys/k"),
        std::string("projects/p/locations/eu/keyRings/r/cryptoKeys/k 1")}) {
    const Result<std::string> key = parse_kms_key(bad);
    ASSERT_FALSE(key.ok()) << bad;
    EXPECT_NE(key.message().find("expected projects/PROJECT/"), std::string::npos);
  }
}

TEST(Endpoint, IsAnHttpsUrl) {
  EXPECT_EQ(*parse_endpoint("https://storage.example.com"), "https://storage.example.com");
  EXPECT_EQ(*parse_endpoint("https://storage.example.com:8443/a/b"),
            "https://storage.example.com:8443/a/b");
  EXPECT_EQ(*parse_endpoint("https://[fd00::1]:443"), "https://[fd00::1]:443");
  EXPECT_EQ(*parse_endpoint("https://[fd00::1]"), "https://[fd00::1]");
}

TEST(Endpoint, LosesItsLastSlash) {
  EXPECT_EQ(*parse_endpoint("HTTPS://host/"), "https://host");
  EXPECT_EQ(*parse_endpoint("https://host/a//"), "https://host/a");
}

TEST(Endpoint, SaysWhereHttpBelongs) {
  for (const char* bad : {"http://localhost:4443", "storage.googleapis.com", "", "https:/host"}) {
    const Result<std::string> endpoint = parse_endpoint(bad);
    ASSERT_FALSE(endpoint.ok()) << bad;
    EXPECT_NE(endpoint.message().find("https only (STORAGE_EMULATOR_HOST is for http)"),
              std::string::npos);
  }
}

TEST(Endpoint, RefusesOtherParts) {
  for (const char* bad :
       {"https://", "https:///a", "https://host?q", "https://host/a?q", "https://host#f",
        "https://host:", "https://host:0", "https://host:65536", "https://host:x", "https://ho st",
        "https://h\xc3\xb6st", "https://host/a b", "https://host/\n", "https://[]", "https://[::1",
        "https://::1", "https://-host", "https://[fd00::g]:1"}) {
    const Result<std::string> endpoint = parse_endpoint(bad);
    ASSERT_FALSE(endpoint.ok()) << bad;
    EXPECT_NE(endpoint.message().find("expected https://HOST[:PORT][/PATH]"), std::string::npos);
  }
}

TEST(Endpoint, DoesntShowAPassword) {
  for (const char* bad : {"https://me:secret@host", "http://me:secret@host", "me:secret@host",
                          "https://me:sec@ret@host/a"}) {
    const Result<std::string> endpoint = parse_endpoint(bad);
    ASSERT_FALSE(endpoint.ok()) << bad;
    EXPECT_EQ(endpoint.message().find("sec"), std::string::npos) << endpoint.message();
    EXPECT_NE(endpoint.message().find("***@host"), std::string::npos) << endpoint.message();
  }
}

TEST(ChunkSize, IsInBytesOrBinaryUnits) {
  EXPECT_EQ(*parse_chunk_size("262144"), 262144U);
  for (const char* mebibyte : {"1048576", "1024K", "1024KiB", "1M", "1MiB", "1m", "1mib"}) {
    ASSERT_TRUE(parse_chunk_size(mebibyte).ok()) << mebibyte;
    EXPECT_EQ(*parse_chunk_size(mebibyte), 1U << 20);
  }
  EXPECT_EQ(*parse_chunk_size("2G"), 2ULL << 30);
  EXPECT_EQ(*parse_chunk_size("2GiB"), 2ULL << 30);
  EXPECT_EQ(*parse_chunk_size("5120GiB"), 5ULL << 40);
}

TEST(ChunkSize, MayBeZero) { EXPECT_EQ(*parse_chunk_size("0"), 0U); }

TEST(ChunkSize, IsAMultipleOf256KiB) {
  for (const char* bad : {"1", "262143", "262145", "100K", "1MB", "1.5M", "1 M", "-1M", "", "M",
                          "5121GiB", "18446744073709551616", "17592186044416M"}) {
    const Result<std::uint64_t> size = parse_chunk_size(bad);
    ASSERT_FALSE(size.ok()) << bad;
    EXPECT_NE(size.message().find("expected a multiple of 262144 bytes"), std::string::npos);
  }
}

}  // namespace
}  // namespace integcov::config
