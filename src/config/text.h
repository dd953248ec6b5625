// Small helpers for reading settings and for naming them in messages.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace integcov::config {

// A user's value for an error message: in double quotes, escaped by integcov::printable, cut to
// about 80 bytes.
std::string quote(std::string_view value);

// ASCII only: settings don't depend on a locale.
std::string lower(std::string_view text);
std::string_view trim(std::string_view text);  // spaces and tabs

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_lower_alnum(char c) { return is_digit(c) || (c >= 'a' && c <= 'z'); }
constexpr bool is_alnum(char c) { return is_lower_alnum(c) || (c >= 'A' && c <= 'Z'); }

// Decimal digits and nothing else; nullopt also when the number doesn't fit.
std::optional<std::uint64_t> parse_digits(std::string_view text);

}  // namespace integcov::config
