// RSASSA-PKCS1-v1_5 with SHA-256 ("RS256", RFC 7518 section 3.3) through OpenSSL.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace integcov::auth {

// The raw signature of `text`. `private_key` is PEM without a passphrase; the error is a clause and
// repeats nothing of it.
Result<std::string> sign_rs256(std::string_view private_key, std::string_view text);

}  // namespace integcov::auth
