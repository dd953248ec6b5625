#include "upload/ledger.h"

#include <gtest/gtest.h>

namespace integcov::upload {
namespace {

using Files = std::vector<FileEntry>;

const std::string kStorage = "gs://bucket/a folder";

TEST(Ledger, IsWrittenAsTheHeaderSays) {
  EXPECT_EQ(ledger_header(kStorage), "integcov-uploaded 1 gs%3A%2F%2Fbucket%2Fa%20folder\n");
  EXPECT_EQ(ledger_line({"sub/a b", 12, 345}), "12 345 sub%2Fa%20b\n");
}

TEST(Ledger, ReadsBackWhatWasWritten) {
  const Files files = {{"covmeta.1", 0, 0},
                       {"sub/new\nline %41", 18446744073709551615U, -9223372036854775807},
                       {std::string("\xff\0 x", 4), 1, 9223372036854775807}};
  std::string text = ledger_header(kStorage);
  for (const FileEntry& file : files) text += ledger_line(file);
  EXPECT_EQ(parse_ledger(text, kStorage), files);
}

TEST(Ledger, OfAnotherStorageSaysNothing) {
  const std::string text = ledger_header("gs://bucket/b") + ledger_line({"a", 1, 2});
  EXPECT_EQ(parse_ledger(text, "gs://bucket/b").size(), 1U);
  EXPECT_EQ(parse_ledger(text, "gs://bucket/").size(), 0U);
  EXPECT_EQ(parse_ledger(text, "gs://bucket/b/c").size(), 0U);
  EXPECT_EQ(parse_ledger("", kStorage).size(), 0U);
  EXPECT_EQ(parse_ledger("1 2 a\n", kStorage).size(), 0U);
}

TEST(Ledger, ALastLineThatWasCutOffIsSkipped) {
  const std::string text = ledger_header(kStorage) + ledger_line({"a", 1, 2}) + "3 4 covmeta.12";
  EXPECT_EQ(parse_ledger(text, kStorage), (Files{{"a", 1, 2}}));
}

TEST(Ledger, DamagedLinesAreSkippedAndTheOthersCount) {
  const std::string text = ledger_header(kStorage) +
                           "1 2 first\n"
                           "\n"
                           "x 2 a\n"
                           "1 y a\n"
                           "-1 2 a\n"
                           "1 2\n"
                           "1 2 \n"
                           "1  2 a\n"
                           "1 2 %4\n"
                           "99999999999999999999 2 a\n"
                           "3 -4 last\n";
  EXPECT_EQ(parse_ledger(text, kStorage), (Files{{"first", 1, 2}, {"last", 3, -4}}));
}

}  // namespace
}  // namespace integcov::upload
