// What the backend remembers of an object whose content is replaced.
#include "gcs_backend_fixture.h"

namespace integcov::storage::gcs {
namespace {

class GcsBackendReplacing : public GcsBackendTest {
 protected:
  GcsBackendReplacing() { use(nullptr); }

  // Another version of the file goes up under `name`.
  void begin_version(const std::string& content, const std::string& name = kCounters,
                     bool replaces = true) {
    files_.write("f", content);
    begin({.id = ++id_, .file = {.path = kCounters}, .object = name, .replaces = replaces});
  }
  void store_version(const std::string& content, int generation) {
    begin_version(content, kCounters, generation > 1);
    client_.deliver(200, object(content, generation));
    EXPECT_EQ(stored().note, "");
  }
  [[nodiscard]] std::string match() const {
    const auto at = last().url.find("ifGenerationMatch=");
    return at == std::string::npos ? last().method : last().url.substr(at + 18, 1);
  }

 private:
  upload::UploadId id_ = 0;
};

TEST_F(GcsBackendReplacing, EachVersionIsOneRequestUnderTheLastGeneration) {
  store_version("one", 1);
  EXPECT_EQ(match(), "0");
  store_version("three", 3);
  EXPECT_EQ(match(), "1");
  store_version("four", 4);
  EXPECT_EQ(match(), "3");
  EXPECT_EQ(client_.requests.size(), 3U);
}

TEST_F(GcsBackendReplacing, TheObjectsNameIsNotThePath) {
  begin_version("one", "sub/other", false);
  EXPECT_NE(last().url.find("name=runs%2F1%2Fsub%2Fother&"), std::string::npos);
  client_.deliver(200, object("one", 5));
  begin_version("two");
  EXPECT_EQ(match(), "GET") << "nothing is known of the path's own object";
}

TEST_F(GcsBackendReplacing, WhatAnEarlierRunStoredIsLookedAt) {
  begin_version("two");
  EXPECT_EQ(match(), "GET");
  client_.deliver(200, object("one", 7));
  EXPECT_EQ(match(), "7");
  client_.deliver(200, object("two", 8));
  EXPECT_FALSE(stored().already_there);
  begin_version("three");
  EXPECT_EQ(match(), "8");
}

TEST_F(GcsBackendReplacing, AFailedOneIsReplacedUnderWhatIsThere) {
  store_version("one", 1);
  begin_version("two");
  client_.deliver(http::TransportError{"reset"});
  EXPECT_TRUE(failed().retryable);
  begin_version("three");
  EXPECT_EQ(match(), "1");
  client_.deliver(412);
  client_.deliver(200, object("two", 2));
  EXPECT_EQ(match(), "2");
}

TEST_F(GcsBackendReplacing, WhatCouldNotBeLookedAtHasNoGeneration) {
  begin_version("one", kCounters, false);
  client_.deliver(412);
  client_.deliver(403);
  EXPECT_NE(stored().note, "");
  begin_version("two");
  EXPECT_EQ(match(), "GET");
}

TEST_F(GcsBackendReplacing, CreateOnlyRightsAreSaid) {
  store_version("one", 1);
  begin_version("two");
  client_.deliver(403);
  EXPECT_TRUE(failed().may_not_replace);
  begin_version("two", kCounters + "1", false);
  EXPECT_EQ(match(), "0");
}

TEST_F(GcsBackendReplacing, ANameThatIsAHashIsNeverReplacedUnseen) {
  const std::string meta = "covmeta.0123456789abcdef0123456789abcdef";
  begin_version("one", meta, false);
  client_.deliver(200, object("one", 1));
  begin_version("one", meta);
  EXPECT_EQ(match(), "0");
}

}  // namespace
}  // namespace integcov::storage::gcs
