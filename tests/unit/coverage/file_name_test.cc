#include "coverage/file_name.h"

#include <gtest/gtest.h>

namespace integcov::coverage {
namespace {

const std::string kHash = "0123456789abcdef0123456789abcdef";

TEST(FileName, KnowsACovmeta) {
  const FileName name = parse_file_name("covmeta." + kHash);
  EXPECT_EQ(name.kind, FileKind::covmeta);
  EXPECT_EQ(name.hash, kHash);
}

TEST(FileName, KnowsCovcounters) {
  const FileName name = parse_file_name("covcounters." + kHash + ".4711.1763861160000000001");
  EXPECT_EQ(name.kind, FileKind::covcounters);
  EXPECT_EQ(name.hash, kHash);
  EXPECT_EQ(name.pid, 4711U);
  EXPECT_EQ(name.time_ns, 1'763'861'160'000'000'001U);
}

TEST(FileName, LooksAtTheLastComponentOfAPath) {
  EXPECT_EQ(parse_file_name("a/b/covmeta." + kHash).kind, FileKind::covmeta);
  EXPECT_EQ(parse_file_name("a/covcounters." + kHash + ".1.2").kind, FileKind::covcounters);
  EXPECT_EQ(parse_file_name("covmeta." + kHash + "/notes.txt").kind, FileKind::other);
  EXPECT_EQ(parse_file_name("a/tmp.x").kind, FileKind::temporary);
  EXPECT_EQ(parse_file_name("tmp.d/x").kind, FileKind::other);
}

TEST(FileName, AFileBeingWrittenIsTemporary) {
  EXPECT_EQ(parse_file_name("tmp.covmeta." + kHash + "1763861160000000001").kind,
            FileKind::temporary);
  EXPECT_EQ(parse_file_name("tmp.covmeta." + kHash + "1763861160000000001").hash, kHash);
  EXPECT_EQ(parse_file_name("tmp.covmeta." + kHash + "1763861160000000001").time_ns,
            1'763'861'160'000'000'001U);
  EXPECT_EQ(parse_file_name("tmp.covmeta." + kHash + "x").time_ns, 0U);
  EXPECT_EQ(parse_file_name("tmp.covmeta." + kHash).time_ns, 0U);
  EXPECT_EQ(parse_file_name("tmp.covmeta." + kHash.substr(1)).hash, "");
  EXPECT_EQ(parse_file_name("tmp.covcounters." + kHash + ".1.2").hash, "") << "a covmeta's only";
  EXPECT_EQ(parse_file_name("tmp.").kind, FileKind::temporary);
  EXPECT_EQ(parse_file_name("tmp").kind, FileKind::other);
  EXPECT_EQ(parse_file_name("tmpx").kind, FileKind::other);
}

TEST(FileName, OurOwnFolderIsControlWhateverIsInIt) {
  EXPECT_EQ(parse_file_name(".integcov").kind, FileKind::control);
  EXPECT_EQ(parse_file_name(".integcov/lock").kind, FileKind::control);
  EXPECT_EQ(parse_file_name(".integcov/covmeta." + kHash).kind, FileKind::control);
  EXPECT_EQ(parse_file_name(".integcov/tmp.x").kind, FileKind::control);
  EXPECT_EQ(parse_file_name(".integcovx").kind, FileKind::other);
  EXPECT_EQ(parse_file_name("a/.integcov/x").kind, FileKind::other) << "only at the top";
}

TEST(FileName, WhatOnlyLooksLikeCoverageIsAnyOtherFile) {
  for (const std::string& name : {std::string(),
                                  std::string("covmeta"),
                                  std::string("covmeta."),
                                  "covmeta." + kHash.substr(1),
                                  "covmeta." + kHash + "0",
                                  "covmeta." + kHash + ".1",
                                  std::string("covmeta.0123456789ABCDEF0123456789ABCDEF"),
                                  std::string("covmeta.g123456789abcdef0123456789abcdef"),
                                  "xcovmeta." + kHash,
                                  "Covmeta." + kHash,
                                  std::string("covcounters."),
                                  "covcounters." + kHash,
                                  "covcounters." + kHash + ".",
                                  "covcounters." + kHash + ".1",
                                  "covcounters." + kHash + ".1.",
                                  "covcounters." + kHash + "..1",
                                  "covcounters." + kHash + ".1.2.3",
                                  "covcounters." + kHash + ".-1.2",
                                  "covcounters." + kHash + ".+1.2",
                                  "covcounters." + kHash + ". 1.2",
                                  "covcounters." + kHash + ".1.2 ",
                                  "covcounters." + kHash + ".0x1.2",
                                  "covcounters." + kHash + "x.1.2",
                                  "covcounters." + kHash + ".4294967296.1",
                                  "covcounters." + kHash + ".1.18446744073709551616"}) {
    EXPECT_EQ(parse_file_name(name).kind, FileKind::other) << name;
  }
}

TEST(FileName, KnowsTheRecordsOfARun) {
  for (const std::string& name :
       {"integcov." + kHash + ".start.json", "integcov." + kHash + ".end.json",
        "sub/integcov." + kHash + ".end.json"}) {
    EXPECT_EQ(parse_file_name(name).kind, FileKind::record) << name;
  }
  for (const std::string& name :
       {std::string("integcov."), "integcov." + kHash, "integcov." + kHash + ".",
        "integcov." + kHash + ".json", "integcov." + kHash + ".start",
        "integcov." + kHash + ".mid.json", "integcov." + kHash + ".end.json2",
        "integcov." + kHash + "0.end.json", "integcov." + kHash.substr(1) + ".end.json",
        "integcov.." + kHash + ".end.json",
        std::string("integcov.0123456789ABCDEF0123456789ABCDEF.end.json"),
        "xintegcov." + kHash + ".end.json", kHash + ".end.json"}) {
    EXPECT_EQ(parse_file_name(name).kind, FileKind::other) << name;
  }
}

TEST(FileName, ARecordBeingWrittenIsTemporary) {
  EXPECT_EQ(parse_file_name("tmp.integcov." + kHash + ".end.json").kind, FileKind::temporary);
}

TEST(FileName, TakesTheLargestNumbers) {
  const FileName name =
      parse_file_name("covcounters." + kHash + ".4294967295.18446744073709551615");
  EXPECT_EQ(name.kind, FileKind::covcounters);
  EXPECT_EQ(name.pid, 4294967295U);
  EXPECT_EQ(name.time_ns, 18446744073709551615U);
}

TEST(FileName, OnlyMetaAndCountersAreCoverage) {
  EXPECT_TRUE(is_coverage(FileKind::covmeta));
  EXPECT_TRUE(is_coverage(FileKind::covcounters));
  EXPECT_FALSE(is_coverage(FileKind::temporary));
  EXPECT_FALSE(is_coverage(FileKind::control));
  EXPECT_FALSE(is_coverage(FileKind::record));
  EXPECT_FALSE(is_coverage(FileKind::other));
}

}  // namespace
}  // namespace integcov::coverage
