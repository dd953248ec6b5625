#include "auth/pem.h"

#include <gtest/gtest.h>

#include <string>

#include "base/encoding.h"

namespace integcov::auth {
namespace {

std::string pem(const std::string& label, const std::string& der, const std::string& line = "\n") {
  return "-----BEGIN " + label + "-----" + line + base64_encode(der) + line + "-----END " + label +
         "-----" + line;
}

const std::string kDer = "\x30\x03\x02\x01\x05";

std::string fault(const std::string& text) {
  const auto shape = check_private_key(text);
  return shape.ok() ? "fine" : shape.message();
}

TEST(CheckPrivateKey, TakesBothArmoursAndBothLineEnds) {
  EXPECT_EQ(fault(pem("PRIVATE KEY", kDer)), "fine");
  EXPECT_EQ(fault(pem("RSA PRIVATE KEY", kDer)), "fine");
  EXPECT_EQ(fault(pem("PRIVATE KEY", kDer, "\r\n")), "fine");
  EXPECT_EQ(fault("a line before\n" + pem("PRIVATE KEY", kDer)), "fine");
}

TEST(CheckPrivateKey, TakesLongLengths) {
  EXPECT_EQ(fault(pem("PRIVATE KEY", "\x30\x81\x80" + std::string(128, 'x'))), "fine");
  EXPECT_EQ(fault(pem("PRIVATE KEY", "\x30\x82\x01\x2c" + std::string(300, 'x'))), "fine");
}

TEST(CheckPrivateKey, NamesTheUsualFaults) {
  EXPECT_EQ(fault(""), "is not a PEM private key");
  EXPECT_EQ(fault("-----BEGIN PRIVATE KEY"), "is not a PEM private key");
  EXPECT_EQ(fault(pem("CERTIFICATE", kDer)), "is not a private key");
  EXPECT_EQ(fault(pem("EC PRIVATE KEY", kDer)), "is an EC key; an RSA key is needed");
  EXPECT_EQ(fault(pem("ENCRYPTED PRIVATE KEY", kDer)),
            "is encrypted; a key without a passphrase is needed");
  EXPECT_EQ(fault("-----BEGIN PRIVATE KEY-----\nMAMCAQU="), "is cut off: its END line is missing");
  EXPECT_EQ(fault(pem("PRIVATE KEY", kDer, "\\n")),
            "has the two characters \\n where line breaks belong");
  EXPECT_EQ(fault(pem("PRIVATE KEY", kDer, "")), "has no line break after its BEGIN line");
}

TEST(CheckPrivateKey, LooksIntoTheBase64) {
  const std::string damaged = "is damaged: it holds no encoded key";
  EXPECT_EQ(fault("-----BEGIN PRIVATE KEY-----\n?!\n-----END PRIVATE KEY-----\n"), damaged);
  EXPECT_EQ(fault("-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n"), damaged);
  for (const std::string& der :
       {std::string("\x31\x03\x02\x01\x05"), kDer + "x", std::string("\x30\x04\x02\x01\x05"),
        std::string("\x30\x80", 2), std::string("\x30\x82\x01"), std::string("\x30"),
        "\x30\x85\x01\x01\x01\x01\x01" + std::string(9, 'x')}) {
    EXPECT_EQ(fault(pem("PRIVATE KEY", der)), damaged) << hex_encode(der);
  }
}

}  // namespace
}  // namespace integcov::auth
