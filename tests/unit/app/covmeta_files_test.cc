#include "app/covmeta_files.h"

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

class CovmetaFilesTest : public testing::Test {
 protected:
  watch::TemporaryFolder temporary_;
  CovmetaFiles folder_{temporary_.path()};
};

TEST_F(CovmetaFilesTest, KnowsTheHashesOfItsCovmetaFiles) {
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

TEST_F(CovmetaFilesTest, HasTheModeOnceTheCovmetaFileIsThere) {
  EXPECT_EQ(folder_.mode(hash_of('a')), std::nullopt);
  temporary_.file("covmeta." + kDigits, "cut off");
  EXPECT_EQ(folder_.mode(hash_of('a')), std::nullopt);
  temporary_.file("covmeta." + kDigits, meta('b'));  // another program's
  EXPECT_EQ(folder_.mode(hash_of('a')), std::nullopt);
  temporary_.file("covmeta." + kDigits, meta('a'));
  EXPECT_EQ(folder_.mode(hash_of('a')), CounterMode::atomic);
}

}  // namespace
}  // namespace integcov::app
