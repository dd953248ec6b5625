#include "config/storage_url.h"

#include <gtest/gtest.h>

namespace integcov::config {
namespace {

StorageLocation parsed(std::string_view text) {
  Result<StorageLocation> location = parse_storage_url(text);
  EXPECT_TRUE(location.ok()) << (location.ok() ? "" : location.message());
  return location ? *location : StorageLocation{};
}

StorageLocation gcs(std::string bucket, std::string prefix) {
  return GcsLocation{std::move(bucket), std::move(prefix)};
}

StorageLocation folder(std::string path) { return FolderLocation{std::move(path)}; }

std::string refusal(std::string_view text) {
  const Result<StorageLocation> location = parse_storage_url(text);
  EXPECT_FALSE(location.ok()) << text;
  return location ? "" : location.message();
}

TEST(GcsUrl, HasABucketAndAFolder) {
  EXPECT_EQ(parsed("gs://my-bucket/my-folder"), gcs("my-bucket", "my-folder"));
  EXPECT_EQ(parsed("gs://my-bucket/a/b"), gcs("my-bucket", "a/b"));
  EXPECT_EQ(parsed("GS://my-bucket/A"), gcs("my-bucket", "A"));
}

TEST(GcsUrl, NeedsNoFolder) {
  EXPECT_EQ(parsed("gs://my-bucket"), gcs("my-bucket", ""));
  EXPECT_EQ(parsed("gs://my-bucket/"), gcs("my-bucket", ""));
}

TEST(GcsUrl, IgnoresSlashesAtTheEndsOfTheFolder) {
  EXPECT_EQ(parsed("gs://my-bucket/a/b/"), gcs("my-bucket", "a/b"));
  EXPECT_EQ(parsed("gs://my-bucket//a//"), gcs("my-bucket", "a"));
}

TEST(GcsUrl, TakesTheFolderLiterally) {
  for (const std::string prefix : {"a+b", "a#1", "a?b=c", "100%", "%41", "a b", " a ", "ä/€",
                                   "a//b", "./a", "a/../b", "..", "a\tb", "a:b@c", "*"}) {
    EXPECT_EQ(parsed("gs://my-bucket/" + prefix), gcs("my-bucket", prefix));
  }
}

TEST(GcsUrl, TakesTheBucketNamesThatGcsTakes) {
  for (const std::string& name : {std::string("abc"), std::string("1-_.9"), std::string(63, 'a'),
                                  std::string(63, 'a') + '.' + std::string(63, 'b')}) {
    EXPECT_EQ(parsed("gs://" + name), gcs(name, ""));
  }
}

TEST(GcsUrl, RefusesOtherBucketNames) {
  const std::string component(63, 'a');
  for (const std::string& name :
       {std::string("ab"), std::string("My-bucket"), std::string("-abc"), std::string("abc-"),
        std::string(".abc"), std::string("a b c"), std::string("bücket"), std::string("a%20b"),
        std::string("user@bucket"), std::string("bucket:80"), component + 'a',
        component + '.' + component + '.' + component + '.' + component}) {
    const std::string message = refusal("gs://" + name + "/x");
    EXPECT_NE(message.find("expected 3 to 222 lower-case letters"), std::string::npos) << message;
  }
}

TEST(GcsUrl, RefusesAnEmptyBucket) {
  for (const std::string text : {"gs://", "gs:///folder"}) {
    EXPECT_EQ(refusal(text), '"' + text +
                                 "\" has no bucket; expected gs://bucket/folder or "
                                 "file:///folder");
  }
}

TEST(GcsUrl, RefusesFoldersThatNoObjectCanHave) {
  EXPECT_NE(refusal("gs://my-bucket/a\nb").find("line break"), std::string::npos);
  EXPECT_NE(refusal("gs://my-bucket/a\r").find("line break"), std::string::npos);
  EXPECT_NE(refusal(std::string_view("gs://my-bucket/a\0b", 18)).find("NUL"), std::string::npos);
  EXPECT_NE(refusal("gs://my-bucket/\xff").find("not UTF-8"), std::string::npos);
}

TEST(GcsUrl, LeavesRoomForACounterFilesName) {
  const std::string counters =
      "covcounters." + std::string(32, 'f') + ".4294967295." + std::string(19, '9');
  const std::string longest(1024 - 1 - counters.size(), 'x');
  const StorageLocation location = parsed("gs://my-bucket/" + longest);
  EXPECT_EQ(object_name(std::get<GcsLocation>(location), counters).size(), 1024U);
  EXPECT_NE(refusal("gs://my-bucket/" + longest + 'x').find("expected at most 948"),
            std::string::npos);
}

TEST(FolderUrl, HasAnAbsolutePath) {
  EXPECT_EQ(parsed("file:///var/cov"), folder("/var/cov"));
  EXPECT_EQ(parsed("FILE:///var/cov"), folder("/var/cov"));
  EXPECT_EQ(parsed("file:///"), folder("/"));
}

TEST(FolderUrl, AcceptsThisHost) {
  EXPECT_EQ(parsed("file://localhost/dir"), folder("/dir"));
  EXPECT_EQ(parsed("file://LocalHost/dir"), folder("/dir"));
}

TEST(FolderUrl, IsNormalised) {
  EXPECT_EQ(parsed("file:////a//b/./c/../d/"), folder("/a/b/d"));
  EXPECT_EQ(parsed("file:///../../a"), folder("/a"));
  EXPECT_EQ(parsed("file:///a/.."), folder("/"));
  EXPECT_EQ(parsed("file:///a/..b/.c/..."), folder("/a/..b/.c/..."));
}

TEST(FolderUrl, IsLiteral) {
  EXPECT_EQ(parsed("file:///a%20b#c?d+e f"), folder("/a%20b#c?d+e f"));
  EXPECT_EQ(parsed("file:///\xff\n"), folder("/\xff\n"));
}

TEST(FolderUrl, RefusesRelativePaths) {
  for (const char* text : {"file://relative", "file://relative/dir", "file://", "file://localhost",
                           "file://localhosts/dir", "file://./dir"}) {
    EXPECT_EQ(refusal(text), '"' + std::string(text) +
                                 "\" has no absolute folder; expected three slashes, as in "
                                 "file:///folder");
  }
}

TEST(FolderUrl, RefusesNul) {
  EXPECT_NE(refusal(std::string_view("file:///a\0b", 11)).find("NUL"), std::string::npos);
}

TEST(StorageUrl, MayBeUnset) {
  EXPECT_EQ(parsed(""), StorageLocation{});
  EXPECT_EQ(to_string(StorageLocation{}), "");
}

TEST(StorageUrl, NamesTheSchemesThatAreSupported) {
  for (const std::string text : {"http://my-bucket/x", "://x", "GCS://b"}) {
    EXPECT_EQ(refusal(text), '"' + text +
                                 "\" has an unknown scheme; expected gs://bucket/folder or "
                                 "file:///folder");
  }
  for (const char* text : {"my-bucket/folder", "/var/cov", "gs:/my-bucket", "gs:", " "}) {
    EXPECT_NE(refusal(text).find("is not a storage URL; expected gs://"), std::string::npos);
  }
}

TEST(StorageUrl, SaysWhatIsNotSupportedYet) {
  EXPECT_NE(refusal("s3://b/x").find("s3:// is not supported"), std::string::npos);
  EXPECT_NE(refusal("azblob://b/x").find("azblob:// is not supported"), std::string::npos);
}

TEST(StorageUrl, IsPrintedAsItIsRead) {
  for (const char* text : {"gs://my-bucket", "gs://my-bucket/a//b #1", "file:///a b", "file:///"}) {
    EXPECT_EQ(to_string(parsed(text)), text);
  }
  EXPECT_EQ(to_string(parsed("gs://my-bucket/a/")), "gs://my-bucket/a");
}

TEST(ObjectName, IsThePathBelowTheFolder) {
  EXPECT_EQ(object_name({"b", ""}, "covmeta.1"), "covmeta.1");
  EXPECT_EQ(object_name({"b", "my/folder"}, "sub/covmeta.1"), "my/folder/sub/covmeta.1");
  EXPECT_EQ(object_name({"b", ".."}, "x"), "../x");
}

}  // namespace
}  // namespace integcov::config
