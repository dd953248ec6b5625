#include "app/snapshot_folder.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "unit/watch/temporary_folder.h"

namespace integcov::app {
namespace {

namespace fs = std::filesystem;
using coverage::CounterMode;
using coverage::MetaHash;

// The first 56 bytes of a covmeta file in atomic mode.
std::string meta(char hash) {
  return std::string("\0cvm\1\0\0\0", 8) + std::string(16, '\0') + std::string(16, hash) +
         std::string(8, '\0') + '\3' + std::string(7, '\0');
}

const std::string kDigits = "61616161616161616161616161616161";  // sixteen times 'a'

MetaHash hash_of(char c) {
  MetaHash hash{};
  hash.fill(c);
  return hash;
}

class SnapshotFolderTest : public testing::Test {
 protected:
  watch::TemporaryFolder temporary_;
  SnapshotFolder folder_{temporary_.path()};
};

TEST_F(SnapshotFolderTest, KnowsTheHashesOfItsCovmetaFiles) {
  EXPECT_TRUE(folder_.hashes().empty());
  temporary_.file("covmeta." + kDigits);
  temporary_.file("covmeta.0123456789abcdef0f1e2d3c4b5a6978");
  temporary_.file("covmeta.short");
  temporary_.file("covcounters." + kDigits + ".1.1");
  auto hashes = folder_.hashes();
  std::ranges::sort(hashes);
  ASSERT_EQ(hashes.size(), 2U);
  EXPECT_EQ(coverage::hex(hashes[0]), "0123456789abcdef0f1e2d3c4b5a6978");
  EXPECT_EQ(hashes[1], hash_of('a'));
}

TEST_F(SnapshotFolderTest, HasTheModeOnceTheCovmetaFileIsThere) {
  EXPECT_EQ(folder_.mode(hash_of('a')), std::nullopt);
  temporary_.file("covmeta." + kDigits, "cut off");
  EXPECT_EQ(folder_.mode(hash_of('a')), std::nullopt);
  temporary_.file("covmeta." + kDigits, meta('b'));  // another program's
  EXPECT_EQ(folder_.mode(hash_of('a')), std::nullopt);
  temporary_.file("covmeta." + kDigits, meta('a'));
  EXPECT_EQ(folder_.mode(hash_of('a')), CounterMode::atomic);
}

TEST_F(SnapshotFolderTest, AFileIsThereWholeOrNotAtAll) {
  ASSERT_TRUE(folder_.write("covcounters.x", "bytes"));
  EXPECT_EQ(fs::file_size(temporary_.path("covcounters.x")), 5U);
  EXPECT_FALSE(fs::exists(temporary_.path("tmp.covcounters.x")));

  temporary_.folder("a_folder/with_something");
  const Status refused = folder_.write("a_folder", "bytes");
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.message().find("its snapshot can't be written to"), std::string::npos);
  EXPECT_FALSE(fs::exists(temporary_.path("tmp.a_folder")));
  EXPECT_FALSE(SnapshotFolder(temporary_.path("nowhere")).write("covcounters.x", "bytes"));
}

}  // namespace
}  // namespace integcov::app
