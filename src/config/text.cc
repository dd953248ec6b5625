#include "config/text.h"

#include <algorithm>
#include <charconv>

#include "base/encoding.h"

namespace integcov::config {
namespace {

constexpr std::size_t kMaxQuoted = 80;

bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U; }

}  // namespace

std::string quote(std::string_view value) {
  std::string text = printable(value);
  if (text.size() > kMaxQuoted) {
    std::size_t end = kMaxQuoted;
    while (continues_character(text[end])) --end;
    text.resize(end);
    text += "...";
  }
  return '"' + text + '"';
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::optional<std::uint64_t> parse_digits(std::string_view text) {
  if (text.empty() || !std::ranges::all_of(text, is_digit)) return std::nullopt;
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return std::nullopt;
  return number;
}

}  // namespace integcov::config
