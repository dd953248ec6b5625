#include "http/message.h"

#include <algorithm>

namespace integcov::http {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

std::optional<std::string_view> find_header(const Headers& headers, std::string_view name) {
  for (const auto& [key, value] : headers) {
    if (std::ranges::equal(key, name, {}, lower, lower)) return value;
  }
  return std::nullopt;
}

std::uint64_t body_size(const Body& body) {
  std::uint64_t size = 0;
  for (const BodyPart& part : body) {
    if (const auto* text = std::get_if<std::string>(&part)) {
      size += text->size();
    } else {
      size += std::get<FileRange>(part).length;
    }
  }
  return size;
}

}  // namespace integcov::http
