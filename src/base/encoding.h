// Text encodings used on the wire and in logs.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace integcov {

// RFC 4648 section 4, with padding.
std::string base64_encode(std::string_view bytes);
// RFC 4648 section 4; white space is skipped; nullopt for anything else that isn't base64.
std::optional<std::string> base64_decode(std::string_view text);
// RFC 4648 section 5 without padding, as JSON Web Tokens use it (RFC 7515 section 2).
std::string base64url_encode(std::string_view bytes);

// Everything but RFC 3986 "unreserved" becomes %XX: right for a query value and for one path
// segment ('/' included).
std::string percent_encode(std::string_view text);
// nullopt when a '%' isn't followed by two hexadecimal digits.
std::optional<std::string> percent_decode(std::string_view text);

// Lower-case hexadecimal digits.
std::string hex_encode(std::string_view bytes);

// A JSON string literal with its quotes (RFC 8259 section 7). Bytes that aren't valid UTF-8 become
// U+FFFD, so the result is always valid JSON.
std::string json_quote(std::string_view text);

bool is_valid_utf8(std::string_view text);

// For a terminal: control characters and invalid UTF-8 become \xXX, so that a file name can't
// forge a line or move the cursor.
std::string printable(std::string_view text);

}  // namespace integcov
