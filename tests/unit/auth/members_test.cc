#include "auth/members.h"

#include <gtest/gtest.h>

namespace integcov::auth {
namespace {

TEST(Members, TheFirstFaultWins) {
  const auto object = JsonObject::parse(R"({"a":"x","b":"","c":1})");
  ASSERT_TRUE(object);
  Members members(*object);
  EXPECT_EQ(members.required("a"), "x");
  EXPECT_EQ(members.optional("none"), "");
  EXPECT_EQ(members.fault(), std::nullopt);
  members.required("b");
  members.required("c");
  EXPECT_EQ(members.fault(), "\"b\" is empty");
}

TEST(Members, AFaultWithinAnObjectNamesThePath) {
  const auto object = JsonObject::parse(R"({"c":1})");
  ASSERT_TRUE(object);
  Members inner(*object, "outer.");
  inner.required("c");
  Members outer(*object);
  outer.take_fault_of(inner);
  EXPECT_EQ(outer.fault(), "\"outer.c\" is not a string");
}

TEST(Members, AnAddressMayBeLeftOut) {
  const auto object = JsonObject::parse(R"({"good":"https://h/p","bad":"http://h/p"})");
  ASSERT_TRUE(object);
  Members members(*object);
  EXPECT_EQ(members.https_uri("good", "https://other/"), "https://h/p");
  EXPECT_EQ(members.https_uri("none", "https://other/"), "https://other/");
  EXPECT_EQ(members.fault(), std::nullopt);
  members.https_uri("bad", "");
  EXPECT_EQ(members.fault(), "\"bad\" must be an https:// address");
}

TEST(Uris, PlainHttpIsNotProtectedUnlessItStaysHere) {
  EXPECT_TRUE(is_http_uri("http://10.0.0.1/x?y=z"));
  EXPECT_FALSE(is_protected_uri("http://10.0.0.1/x?y=z"));
  EXPECT_TRUE(is_protected_uri("http://127.0.0.1:8080/x"));
  EXPECT_TRUE(is_protected_uri("https://h"));
  EXPECT_TRUE(is_protected_uri("https://h/v1/a@b.example:generateAccessToken"));
  for (const char* bad :
       {"", "h", "ftp://h", "http://", "https://u@h/", "https://u@h?x", "https://h/#f"})
    EXPECT_FALSE(is_http_uri(bad)) << bad;
  EXPECT_TRUE(is_for_proxies("https://h/"));
  EXPECT_FALSE(is_for_proxies("http://127.0.0.1:8080/x"));
  EXPECT_EQ(authority_of("https://h:1/p?q"), "h:1");
}

}  // namespace
}  // namespace integcov::auth
