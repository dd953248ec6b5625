#include "base/encoding.h"

#include <gtest/gtest.h>

#include <random>
#include <utility>

#include "unit/base/json_check.h"

namespace integcov {
namespace {

using testing::JsonCheck;

std::string random_bytes(std::mt19937_64& random, std::size_t size) {
  std::string bytes(size, '\0');
  for (char& c : bytes) c = static_cast<char>(random());
  return bytes;
}

TEST(Base64, MatchesTheVectorsOfRfc4648) {
  const std::pair<std::string_view, std::string_view> vectors[] = {
      {"", ""},
      {"f", "Zg=="},
      {"fo", "Zm8="},
      {"foo", "Zm9v"},
      {"foob", "Zm9vYg=="},
      {"fooba", "Zm9vYmE="},
      {"foobar", "Zm9vYmFy"},
  };
  for (const auto& [plain, text] : vectors) {
    EXPECT_EQ(base64_encode(plain), text);
    EXPECT_EQ(base64_decode(text), plain);
  }
}

TEST(Base64, DecodesWhatItEncoded) {
  std::mt19937_64 random(1);
  for (std::size_t size = 0; size < 200; ++size) {
    const std::string bytes = random_bytes(random, size);
    EXPECT_EQ(base64_decode(base64_encode(bytes)), bytes);
  }
}

TEST(Base64, SkipsTheLineBreaksOfAPemBlock) {
  EXPECT_EQ(base64_decode("Zm9v\r\nYm\tFy \n"), "foobar");
}

TEST(Base64, RefusesWhatIsNotBase64) {
  using namespace std::string_view_literals;
  for (const std::string_view text :
       {"Z"sv, "Zg"sv, "Zg="sv, "Zg==="sv, "Zg==Zg=="sv, "Zm9v="sv, "===="sv, "="sv, "Z==="sv,
        "Zm9-"sv, "Zm9_"sv, "Zm\0v"sv, "Zm9v!"sv, "Z=g="sv, "\xff\xff\xff\xff"sv}) {
    EXPECT_EQ(base64_decode(text), std::nullopt) << text;
  }
}

TEST(Base64Url, HasNeitherPaddingNorCharactersThatAUrlTreatsSpecially) {
  EXPECT_EQ(base64url_encode("\xfb\xff\xfe"), "-__-");
  EXPECT_EQ(base64_encode("\xfb\xff\xfe"), "+//+");
  EXPECT_EQ(base64url_encode("f"), "Zg");
  // RFC 7515 section 3.3, the header of its example.
  EXPECT_EQ(base64url_encode("{\"typ\":\"JWT\",\r\n \"alg\":\"HS256\"}"),
            "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9");
}

TEST(Percent, KeepsTheUnreservedAndEncodesTheRest) {
  EXPECT_EQ(percent_encode("AZaz09-._~"), "AZaz09-._~");
  EXPECT_EQ(percent_encode("a b/c+d#e%f?g=h&i"), "a%20b%2Fc%2Bd%23e%25f%3Fg%3Dh%26i");
  EXPECT_EQ(percent_encode("\xc3\xa9\n\x7f"), "%C3%A9%0A%7F");
}

TEST(Percent, DecodesWhatItEncoded) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  EXPECT_EQ(percent_decode(percent_encode(all)), all);
  EXPECT_EQ(percent_decode("%2f%2F+"), "//+") << "either case; a plus is a plus";
}

TEST(Percent, RefusesABrokenEscape) {
  for (const char* text : {"%", "%4", "a%", "%4g", "%g4", "%%41", "%+1", "% 1"}) {
    EXPECT_EQ(percent_decode(text), std::nullopt) << text;
  }
}

TEST(Hex, IsLowerCase) {
  EXPECT_EQ(hex_encode(""), "");
  EXPECT_EQ(hex_encode(std::string_view("\x00\x7f\xab\xff", 4)), "007fabff");
}

TEST(JsonQuote, EscapesWhatMustBeEscaped) {
  EXPECT_EQ(json_quote("a \"b\" \\ /"), R"("a \"b\" \\ /")");
  EXPECT_EQ(json_quote("1\n2\t3\r4"), R"("1\n2\t3\u000d4")");
  EXPECT_EQ(json_quote(std::string_view("\0\x1f\x7f", 3)), R"("\u0000\u001f\u007f")");
  EXPECT_EQ(json_quote("caf\xc3\xa9 \xf0\x9f\x98\x80"), "\"caf\xc3\xa9 \xf0\x9f\x98\x80\"");
}

TEST(JsonQuote, ReplacesEachByteThatIsNotUtf8) {
  EXPECT_EQ(json_quote("a\xff\xc3"), R"("a\ufffd\ufffd")");
  EXPECT_EQ(json_quote("\xed\xa0\x80"), R"("\ufffd\ufffd\ufffd")") << "a surrogate";
  EXPECT_EQ(json_quote("\xc0\xaf"), R"("\ufffd\ufffd")") << "overlong";
}

TEST(JsonQuote, IsValidJsonWhateverTheBytes) {
  std::mt19937_64 random(2);
  for (int round = 0; round < 3000; ++round) {
    const std::string quoted = json_quote(random_bytes(random, random() % 24));
    EXPECT_TRUE(JsonCheck::valid(quoted)) << quoted;
  }
}

TEST(JsonCheck, CanFail) {
  EXPECT_TRUE(JsonCheck::valid(R"({"a":{"b":"c\u00e9"},"d":""})"));
  for (const char* text :
       {"", "\"", "\"\n\"", "\"\\x\"", "\"\\u12\"", "{\"a\"}", "\"a\"b", "\"\xff\""}) {
    EXPECT_FALSE(JsonCheck::valid(text)) << text;
  }
}

TEST(Utf8, AcceptsTheEdgesOfEachLength) {
  for (const char* text :
       {"", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
        "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_TRUE(is_valid_utf8(text)) << hex_encode(text);
  }
}

TEST(Utf8, RefusesOverlongSurrogatesTruncatedAndTooLarge) {
  for (const char* text : {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2z", "\xe0\x9f\xbf",
                           "\xe1\x80", "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x8f\xbf\xbf",
                           "\xf0\x90\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff"}) {
    EXPECT_FALSE(is_valid_utf8(text)) << hex_encode(text);
  }
}

TEST(Printable, AFileNameCannotForgeALineOrMoveTheCursor) {
  EXPECT_EQ(printable("a\nb\x1b[2Jc\r\x7f"), R"(a\x0ab\x1b[2Jc\x0d\x7f)");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m"),
            R"(\xc2\x9b31m)")
      << "a C1 control sequence introducer";
  EXPECT_EQ(printable("\xff"
                      "caf\xc3\xa9\xc3"),
            "\\xff"
            "caf\xc3\xa9\\xc3");
  EXPECT_EQ(printable("plain text \xe2\x82\xac"), "plain text \xe2\x82\xac");
}

}  // namespace
}  // namespace integcov
