// The shape of a private key file, judged without OpenSSL, which must not be initialised before the
// app runs.
#pragma once

#include <string_view>

#include "base/result.h"

namespace integcov::auth {

// PEM armour (RFC 7468) of PRIVATE KEY or RSA PRIVATE KEY around base64 of one DER SEQUENCE. The
// error is a clause that goes on after the key's name: "is not a PEM private key"; it repeats
// nothing of `text`.
Status check_private_key(std::string_view text);

}  // namespace integcov::auth
