#include "auth/json.h"

#include <gtest/gtest.h>

#include <string>

namespace integcov::auth {
namespace {

TEST(JsonObject, ReadsMembersByTypeAndUnescapes) {
  const auto object = JsonObject::parse(R"({"s":"a\n\"é","n":3599,"null":null,"o":{"s":1}})");
  ASSERT_TRUE(object);
  EXPECT_EQ(object->string("s"), "a\n\"\xc3\xa9");
  EXPECT_EQ(object->integer("n"), 3599);
  EXPECT_EQ(object->string("n"), std::nullopt);
  EXPECT_EQ(object->integer("s"), std::nullopt);
  EXPECT_TRUE(object->has("null"));
  EXPECT_FALSE(object->has("absent"));
  EXPECT_EQ(object->string("absent"), std::nullopt);
}

TEST(JsonObject, ASlashIsPartOfAName) {
  const auto object = JsonObject::parse(R"({"a/b":"x","a":{"b":"y"}})");
  ASSERT_TRUE(object);
  EXPECT_EQ(object->string("a/b"), "x");
}

TEST(JsonObject, OutlivesTheTextAndAMove) {
  std::string text = R"({"s":"value"})";
  auto object = JsonObject::parse(text);
  text.assign(text.size(), '?');
  ASSERT_TRUE(object);
  const JsonObject moved = *std::move(object);
  EXPECT_EQ(moved.string("s"), "value");
}

TEST(JsonObject, RefusesWhatIsNotOneObject) {
  for (const std::string& text :
       {std::string(), std::string("{"), std::string("[]"), std::string("1"), std::string("{} {}"),
        std::string("{\"a\":\"\xff\"}"), std::string("{\"a\" \"b\"}"), std::string(1, '\0'),
        std::string(5000, '[')}) {
    EXPECT_FALSE(JsonObject::parse(text)) << text.substr(0, 20);
  }
}

TEST(JsonObject, HasObjectsAndListsOfStrings) {
  const auto object =
      JsonObject::parse(R"({"o":{"a":"x","b":"\u00e9"},"n":{"a":1},"l":["p","q"],"m":["p",1]})");
  ASSERT_TRUE(object);
  const auto inner = object->object("o");
  ASSERT_TRUE(inner);
  EXPECT_EQ(inner->string("b"), "\xc3\xa9");
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(inner->all_strings(), (Pairs{{"a", "x"}, {"b", "\xc3\xa9"}}));
  EXPECT_EQ(object->object("n")->all_strings(), std::nullopt);
  EXPECT_FALSE(object->object("l"));
  EXPECT_FALSE(object->object("none"));
  EXPECT_EQ(object->strings("l"), (std::vector<std::string>{"p", "q"}));
  EXPECT_EQ(object->strings("m"), std::nullopt);
  EXPECT_EQ(object->strings("o"), std::nullopt);
}

}  // namespace
}  // namespace integcov::auth
