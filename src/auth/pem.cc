#include "auth/pem.h"

#include <cstddef>
#include <string>

#include "base/encoding.h"

namespace integcov::auth {
namespace {

// One definite-length SEQUENCE (X.690 section 8.1) and nothing after it.
bool is_der_sequence(std::string_view der) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(der[i]); };
  if (der.size() < 2 || byte(0) != 0x30) return false;
  std::size_t length = byte(1);
  std::size_t start = 2;
  if (length >= 0x80) {
    const std::size_t digits = length - 0x80;
    if (digits == 0 || digits > 4 || der.size() < 2 + digits) return false;
    length = 0;
    for (std::size_t i = 0; i < digits; ++i) length = length << 8 | byte(2 + i);
    start += digits;
  }
  return der.size() - start == length;
}

}  // namespace

Status check_private_key(std::string_view text) {
  constexpr std::string_view kBegin = "-----BEGIN ";
  constexpr std::string_view kDashes = "-----";
  const auto begin = text.find(kBegin);
  if (begin == std::string_view::npos) return Error{"is not a PEM private key"};
  text.remove_prefix(begin + kBegin.size());
  const auto label_end = text.find(kDashes);
  if (label_end == std::string_view::npos) return Error{"is not a PEM private key"};
  const std::string_view label = text.substr(0, label_end);
  if (label == "ENCRYPTED PRIVATE KEY")
    return Error{"is encrypted; a key without a passphrase is needed"};
  if (label == "EC PRIVATE KEY") return Error{"is an EC key; an RSA key is needed"};
  if (label != "PRIVATE KEY" && label != "RSA PRIVATE KEY") return Error{"is not a private key"};
  text.remove_prefix(label_end + kDashes.size());

  const auto end = text.find("-----END " + std::string(label) + "-----");
  if (end == std::string_view::npos) return Error{"is cut off: its END line is missing"};
  const std::string_view body = text.substr(0, end);
  if (body.find('\\') != std::string_view::npos)
    return Error{"has the two characters \\n where line breaks belong"};
  if (!body.starts_with('\n') && !body.starts_with("\r\n"))
    return Error{"has no line break after its BEGIN line"};
  const auto der = base64_decode(body);
  if (!der || !is_der_sequence(*der)) return Error{"is damaged: it holds no encoded key"};
  return Success{};
}

}  // namespace integcov::auth
