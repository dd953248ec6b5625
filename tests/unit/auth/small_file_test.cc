#include "auth/small_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace integcov::auth {
namespace {

struct ReadSmallFile : testing::Test {
  ReadSmallFile() {
    std::string name = testing::TempDir() + "small_file.XXXXXX";
    folder = mkdtemp(name.data());
  }
  ~ReadSmallFile() override { std::filesystem::remove_all(folder); }
  std::string write(const std::string& bytes) const {
    const auto path = folder / "file";
    std::ofstream(path, std::ios::binary) << bytes;
    return path.string();
  }
  std::filesystem::path folder;
};

TEST_F(ReadSmallFile, GivesEveryByte) {
  const std::string bytes = std::string(10'000, 'x') + '\0' + "\xff\n";
  EXPECT_EQ(*read_small_file(write(bytes)), bytes);
  EXPECT_EQ(*read_small_file(write("")), "");
}

TEST_F(ReadSmallFile, SaysWhyNot) {
  EXPECT_EQ(read_small_file((folder / "none").string()).message(), "No such file or directory");
  EXPECT_EQ(read_small_file(folder.string()).message(), "Is a directory");
  EXPECT_EQ(read_small_file(write(std::string((1 << 20) + 1, 'x'))).message(),
            "the file is larger than 1 MiB");
}

TEST_F(ReadSmallFile, DoesNotWaitForAFifosWriter) {
  const auto fifo = folder / "fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_EQ(*read_small_file(fifo.string()), "");
}

}  // namespace
}  // namespace integcov::auth
