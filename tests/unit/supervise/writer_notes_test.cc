#include "supervise/writer_notes.h"

#include <gtest/gtest.h>

namespace integcov::supervise {
namespace {

constexpr MetaStamp kMeta{.inode = 18'446'744'073'709'551'615U, .changed_ns = -5};

TEST(WriterNotes, AreReadBackAndTheLastOneOfAFileCounts) {
  const auto notes =
      parse_writer_notes(writer_note({"covcounters.a.1.2", {.inode = 1}, "4:5.4"}) +
                         writer_note({"with a space", {.inode = 2, .changed_ns = 3}, "4~77"}) +
                         writer_note({"covcounters.a.1.2", kMeta, ""}));
  ASSERT_EQ(notes.size(), 2U);
  EXPECT_EQ(notes.at("covcounters.a.1.2"), (NotedWriter{kMeta, ""}));
  EXPECT_EQ(notes.at("with a space"), (NotedWriter{{.inode = 2, .changed_ns = 3}, "4~77"}));
}

TEST(WriterNotes, WhatIsClosedIsNoneUntilItIsNotedAgain) {
  const std::string note = writer_note({"a", kMeta, "i"});
  const std::string closed = writer_note({"a", {}, ""});
  EXPECT_TRUE(parse_writer_notes(note + closed).empty());
  EXPECT_TRUE(parse_writer_notes(closed).empty());
  EXPECT_EQ(parse_writer_notes(note + closed + note).size(), 1U);
}

TEST(WriterNotes, DamagedLinesAreSkipped) {
  for (const char* damaged :
       {"", "\n", "1\n", "1 2\n", "1 2 \n", "1 2 a\n", "1 2 a \n", "1 2  a\n", "-1 2 i a\n",
        "1 x i a\n", "1  2 i a\n", "99999999999999999999 2 i a\n", "1 2 i cut off"}) {
    EXPECT_TRUE(parse_writer_notes(damaged).empty()) << damaged;
    EXPECT_EQ(parse_writer_notes("1 2 i before\n" + std::string(damaged)).size(), 1U) << damaged;
  }
  EXPECT_EQ(parse_writer_notes("1 2\n3 4 i after\n").size(), 1U);
}

}  // namespace
}  // namespace integcov::supervise
