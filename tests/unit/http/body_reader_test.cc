#include "http/body_reader.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

namespace integcov::http {
namespace {

using File = std::unique_ptr<std::FILE, decltype(&std::fclose)>;

File file_with(const std::string& content) {
  File file(std::tmpfile(), &std::fclose);
  std::fwrite(content.data(), 1, content.size(), file.get());
  std::fflush(file.get());
  return file;
}

std::string read_all(BodyReader& reader, std::size_t at_once) {
  std::string all;
  std::vector<char> buffer(at_once);
  for (;;) {
    const auto got = reader.read(buffer);
    if (!got.ok()) return "error: " + got.message();
    if (*got == 0) return all;
    all.append(buffer.data(), *got);
  }
}

TEST(BodyReader, JoinsTextsAndFileRangesAtAnyBufferSize) {
  const File file = file_with("0123456789");
  const int fd = fileno(file.get());
  const Body body{"", "head|", FileRange{fd, 2, 5}, "", FileRange{fd, 0, 0}, "|tail"};
  for (std::size_t at_once = 1; at_once < 20; ++at_once) {
    BodyReader reader(body);
    EXPECT_EQ(read_all(reader, at_once), "head|23456|tail") << at_once;
  }
}

TEST(BodyReader, SeeksToAnyOffsetAndNoFurtherThanTheEnd) {
  const File file = file_with("0123456789");
  const Body body{"ab", FileRange{fileno(file.get()), 5, 3}, "yz"};
  const std::string all = "ab567yz";
  BodyReader reader(body);
  for (std::size_t offset = 0; offset <= all.size(); ++offset) {
    ASSERT_TRUE(reader.seek(offset)) << offset;
    EXPECT_EQ(read_all(reader, 4), all.substr(offset));
  }
  EXPECT_FALSE(reader.seek(all.size() + 1));
}

TEST(BodyReader, SaysThatAFileBecameShorter) {
  const File file = file_with("0123456789");
  const Body body{FileRange{fileno(file.get()), 0, 10}};
  BodyReader reader(body);
  std::vector<char> four(4);
  ASSERT_EQ(*reader.read(four), 4U);
  ASSERT_EQ(ftruncate(fileno(file.get()), 6), 0);
  EXPECT_EQ(read_all(reader, 4), "error: the file became shorter while it was sent");
}

TEST(BodyReader, SaysThatAFileCannotBeRead) {
  const Body body{FileRange{-1, 0, 10}};
  BodyReader reader(body);
  EXPECT_EQ(read_all(reader, 4), "error: cannot read the file: Bad file descriptor");
}

}  // namespace
}  // namespace integcov::http
