#include "storage/content_reader.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

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

// --- a log that someone goes on writing ---------------------------------------------------------

TEST(ContentReader, ALogIsReadAsItWasAtTheFirstLook) {
  const TestFolder folder;
  const std::string content = pattern(ContentReader::kSlice + 1);
  folder.write("log", content);
  const UniqueFd fd = folder.open("log");
  ContentReader reader(fd.get(), Writers::active);
  std::string read(std::get<std::string_view>(reader.next()));
  folder.append("log", "more");
  const auto slice = reader.next();
  ASSERT_TRUE(std::holds_alternative<std::string_view>(slice));
  read += std::get<std::string_view>(slice);
  EXPECT_TRUE(reader.finished());
  EXPECT_TRUE(read == content);
  EXPECT_EQ(reader.crc32c(), crc32c(0, content)) << "of the bytes that were read";
  EXPECT_EQ(reader.identity().size, content.size());
}

TEST(ContentReader, ALogMayNotShrink) {
  for (const std::size_t left : {ContentReader::kSlice, std::size_t{0}}) {
    const TestFolder folder;
    folder.write("log", pattern(ContentReader::kSlice + 1));
    const UniqueFd fd = folder.open("log");
    ContentReader reader(fd.get(), Writers::active);
    EXPECT_TRUE(std::holds_alternative<std::string_view>(reader.next()));
    std::filesystem::resize_file(folder.path("log"), left);
    const auto slice = reader.next();
    ASSERT_TRUE(std::holds_alternative<Failed>(slice));
    EXPECT_TRUE(std::get<Failed>(slice).retryable);
    EXPECT_EQ(std::get<Failed>(slice).reason, "the file changed while it was read");
  }
}

TEST(ContentReader, ATouchedCoverageFileHasChangedATouchedLogHasNot) {
  for (const Writers writers : {Writers::finished, Writers::active}) {
    const TestFolder folder;
    folder.write("f", pattern(ContentReader::kSlice + 1));
    const UniqueFd fd = folder.open("f");
    ContentReader reader(fd.get(), writers);
    EXPECT_TRUE(std::holds_alternative<std::string_view>(reader.next()));
    const timespec later[2] = {{4'000'000'000, 0}, {4'000'000'000, 0}};
    ASSERT_EQ(::futimens(fd.get(), later), 0);
    const bool read = std::holds_alternative<std::string_view>(reader.next());
    EXPECT_EQ(read, writers == Writers::active);
  }
}

TEST(ContentReader, CoverageFilesAreFinishedOthersMayBeLogs) {
  const std::string hash(32, 'a');
  EXPECT_EQ(writers_of("covmeta." + hash), Writers::finished);
  EXPECT_EQ(writers_of("sub/covcounters." + hash + ".1.2"), Writers::finished);
  EXPECT_EQ(writers_of("app.log"), Writers::active);
  EXPECT_EQ(writers_of("covcounters.1"), Writers::active);
}

// --- what cannot be read ------------------------------------------------------------------------

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
