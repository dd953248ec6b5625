#include "config/labels.h"

#include <gtest/gtest.h>

namespace integcov::config {
namespace {

TEST(AddLabel, AddsAPair) {
  Labels labels;
  EXPECT_TRUE(add_label(labels, "team=payments"));
  EXPECT_TRUE(add_label(labels, "1-a_b=x=y, ä"));
  EXPECT_TRUE(add_label(labels, "empty="));
  EXPECT_EQ(labels, (Labels{{"team", "payments"}, {"1-a_b", "x=y, ä"}, {"empty", ""}}));
}

TEST(AddLabel, ReplacesAnEarlierValue) {
  Labels labels{{"team", "old"}};
  EXPECT_TRUE(add_label(labels, "team=new"));
  EXPECT_EQ(labels, (Labels{{"team", "new"}}));
}

TEST(AddLabel, WantsAnEqualsSign) {
  Labels labels;
  EXPECT_EQ(add_label(labels, "team").message(), "\"team\" is not a label; expected key=value");
  EXPECT_FALSE(add_label(labels, ""));
}

TEST(AddLabel, RefusesKeysThatNoHeaderCanHave) {
  const std::string longest(63, 'k');
  Labels labels;
  EXPECT_TRUE(add_label(labels, longest + "=v"));
  for (const std::string& pair :
       {std::string("=v"), std::string("Team=v"), std::string("-a=v"), std::string("_a=v"),
        std::string("a b=v"), std::string("a.b=v"), std::string("ä=v"), longest + "k=v"}) {
    const Status added = add_label(labels, pair);
    ASSERT_FALSE(added.ok()) << pair;
    EXPECT_NE(added.message().find("expected 1 to 63 lower-case letters"), std::string::npos);
  }
  EXPECT_EQ(labels.size(), 1U);
}

TEST(AddLabel, RefusesValuesThatArentPrintable) {
  Labels labels;
  EXPECT_TRUE(add_label(labels, "k=" + std::string(1024, 'v')));
  for (const std::string& pair : {std::string("k=a\nb"), std::string("k=a\x7f"),
                                  std::string("k=\xff"), "k=" + std::string(1025, 'v')}) {
    const Status added = add_label(labels, pair);
    ASSERT_FALSE(added.ok()) << pair;
    EXPECT_NE(added.message().find("expected at most 1 KiB of UTF-8"), std::string::npos);
  }
}

TEST(AddLabel, BoundsTheWholeSet) {
  Labels labels;
  for (char key = 'a'; key < 'h'; ++key) {  // seven times 1 KiB with its key
    EXPECT_TRUE(add_label(labels, std::string(1, key) + '=' + std::string(1023, 'v')));
  }
  EXPECT_TRUE(add_label(labels, "a=" + std::string(1023, 'w')));
  const Status added = add_label(labels, "z=");
  ASSERT_FALSE(added.ok());
  EXPECT_EQ(added.message(), "\"z=\" is one label too many; expected at most 7 KiB in all");
}

TEST(AddLabels, ReadsAList) {
  Labels labels{{"k", "old"}};
  EXPECT_TRUE(add_labels(labels, "k=v,k2=v2"));
  EXPECT_EQ(labels, (Labels{{"k", "v"}, {"k2", "v2"}}));
}

TEST(AddLabels, IgnoresSpaceAndEmptyPairs) {
  Labels labels;
  EXPECT_TRUE(add_labels(labels, " ,k=v w ,, k2=v2 ,"));
  EXPECT_EQ(labels, (Labels{{"k", "v w"}, {"k2", "v2"}}));
}

TEST(AddLabels, QuotesTheMalformedPairOnly) {
  Labels labels;
  EXPECT_EQ(add_labels(labels, "k=v,bad,k2=v2").message(),
            "\"bad\" is not a label; expected key=value");
}

}  // namespace
}  // namespace integcov::config
