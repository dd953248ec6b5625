// Is this one valid JSON value (RFC 8259)? Says nothing about its meaning.
#pragma once

#include <algorithm>
#include <cctype>
#include <string_view>

#include "base/encoding.h"

namespace integcov::testing {

class JsonCheck {
 public:
  static bool valid(std::string_view text) {
    JsonCheck check(text);
    return is_valid_utf8(text) && check.value() && check.rest_.empty();
  }

 private:
  explicit JsonCheck(std::string_view text) : rest_(text) {}

  bool take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  bool word(std::string_view text) {
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }

  bool value() {
    if (rest_.empty()) return false;
    const char first = rest_.front();
    if (first == '{') return object();
    if (first == '[') return array();
    if (first == '"') return string();
    return word("true") || word("false") || word("null") || whole_number();
  }

  // More is not needed: no sign, fraction or exponent.
  bool whole_number() {
    if (take('0')) return true;
    const std::size_t digits = std::min(rest_.find_first_not_of("0123456789"), rest_.size());
    rest_.remove_prefix(digits);
    return digits > 0;
  }

  bool array() {
    if (!take('[')) return false;
    if (take(']')) return true;
    do {
      if (!value()) return false;
    } while (take(','));
    return take(']');
  }

  bool object() {
    if (!take('{')) return false;
    if (take('}')) return true;
    do {
      if (!string() || !take(':') || !value()) return false;
    } while (take(','));
    return take('}');
  }

  bool string() {
    if (!take('"')) return false;
    while (!rest_.empty()) {
      const char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"') return true;
      if (static_cast<unsigned char>(c) < 0x20) return false;
      if (c == '\\' && !escape()) return false;
    }
    return false;
  }

  bool escape() {
    if (!take('u')) {
      if (rest_.empty() || std::string_view("\"\\/bfnrt").find(rest_.front()) == rest_.npos) {
        return false;
      }
      rest_.remove_prefix(1);
      return true;
    }
    for (int i = 0; i < 4; ++i) {
      if (rest_.empty() || std::isxdigit(static_cast<unsigned char>(rest_.front())) == 0) {
        return false;
      }
      rest_.remove_prefix(1);
    }
    return true;
  }

  std::string_view rest_;
};

}  // namespace integcov::testing
