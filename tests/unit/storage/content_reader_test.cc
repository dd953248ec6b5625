#include "storage/content_reader.h"

#include <gtest/gtest.h>

#include "base/crc32c.h"
#include "test_files.h"

namespace integcov::storage {
namespace {

using upload::Failed;

TEST(ContentReader, ReadsInSlicesWithTheChecksum) {
  const TestFolder folder;
  const std::string content = pattern(2 * ContentReader::kSlice + 5);
  folder.write("f", content);
  const UniqueFd fd = folder.open("f");
  ContentReader reader(fd.get());
  std::string read;
  for (const std::size_t size : {ContentReader::kSlice, ContentReader::kSlice, std::size_t{5}}) {
    EXPECT_FALSE(reader.finished());
    const auto slice = reader.next();
    ASSERT_TRUE(std::holds_alternative<std::string_view>(slice));
    EXPECT_EQ(std::get<std::string_view>(slice).size(), size);
    read += std::get<std::string_view>(slice);
    EXPECT_EQ(reader.offset(), read.size());
  }
  EXPECT_TRUE(reader.finished());
  EXPECT_TRUE(read == content);
  EXPECT_EQ(reader.crc32c(), crc32c(0, content));
  EXPECT_EQ(reader.identity().size, content.size());
  EXPECT_EQ(std::get<FileIdentity>(identify(fd.get())), reader.identity());
}

TEST(ContentReader, AWholeNumberOfSlicesEndsWithTheLastOne) {
  const TestFolder folder;
  folder.write("f", pattern(ContentReader::kSlice));
  const UniqueFd fd = folder.open("f");
  ContentReader reader(fd.get());
  EXPECT_TRUE(std::holds_alternative<std::string_view>(reader.next()));
  EXPECT_TRUE(reader.finished());
}

TEST(ContentReader, AnEmptyFileIsFinishedAtOnce) {
  const TestFolder folder;
  folder.write("f", "");
  const UniqueFd fd = folder.open("f");
  ContentReader reader(fd.get());
  EXPECT_EQ(std::get<std::string_view>(reader.next()), "");
  EXPECT_TRUE(reader.finished());
  EXPECT_EQ(reader.crc32c(), 0U);
}

TEST(ContentReader, NoticesThatTheFileGrew) {
  const TestFolder folder;
  folder.write("f", pattern(ContentReader::kSlice + 1));
  const UniqueFd fd = folder.open("f");
  ContentReader reader(fd.get());
  EXPECT_TRUE(std::holds_alternative<std::string_view>(reader.next()));
  folder.append("f", "more");
  const auto slice = reader.next();
  ASSERT_TRUE(std::holds_alternative<Failed>(slice));
  EXPECT_TRUE(std::get<Failed>(slice).retryable);
  EXPECT_EQ(std::get<Failed>(slice).reason, "the file changed while it was read");
}

TEST(ContentReader, NoticesThatTheFileShrank) {
  const TestFolder folder;
  folder.write("f", pattern(ContentReader::kSlice + 1));
  const UniqueFd fd = folder.open("f");
  ContentReader reader(fd.get());
  EXPECT_TRUE(std::holds_alternative<std::string_view>(reader.next()));
  folder.write("f", "less");
  const auto slice = reader.next();
  ASSERT_TRUE(std::holds_alternative<Failed>(slice));
  EXPECT_TRUE(std::get<Failed>(slice).retryable);
}

TEST(ContentReader, RefusesWhatIsNoRegularFile) {
  const TestFolder folder;
  const UniqueFd fd = folder.open("");
  const auto slice = ContentReader(fd.get()).next();
  ASSERT_TRUE(std::holds_alternative<Failed>(slice));
  EXPECT_FALSE(std::get<Failed>(slice).retryable);
  EXPECT_EQ(std::get<Failed>(slice).reason, "not a regular file");
}

TEST(ContentReader, ReportsASystemError) {
  const auto slice = ContentReader(-1).next();
  ASSERT_TRUE(std::holds_alternative<Failed>(slice));
  EXPECT_FALSE(std::get<Failed>(slice).retryable);
  EXPECT_EQ(std::get<Failed>(slice).reason, "the file cannot be read: Bad file descriptor");
}

}  // namespace
}  // namespace integcov::storage
