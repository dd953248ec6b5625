#include "config/labels.h"

#include <algorithm>

#include "base/encoding.h"
#include "config/text.h"

namespace integcov::config {
namespace {

constexpr std::size_t kMaxKey = 63;
constexpr std::size_t kMaxValue = 1024;

// Keys become x-goog-meta-KEY, in which case doesn't count.
bool is_key(std::string_view key) {
  return !key.empty() && key.size() <= kMaxKey && is_lower_alnum(key[0]) &&
         std::ranges::all_of(key, [](char c) { return is_lower_alnum(c) || c == '-' || c == '_'; });
}

std::size_t total_bytes(const Labels& labels) {
  std::size_t total = 0;
  for (const auto& [key, value] : labels) total += key.size() + value.size();
  return total;
}

}  // namespace

Status add_label(Labels& labels, std::string_view pair) {
  const std::size_t equals = pair.find('=');
  if (equals == std::string_view::npos) {
    return Error{quote(pair) + " is not a label; expected key=value"};
  }
  const std::string_view key = pair.substr(0, equals);
  const std::string_view value = pair.substr(equals + 1);
  if (!is_key(key)) {
    return Error{quote(pair) +
                 " has a key that can't be stored; expected 1 to 63 lower-case letters, digits, "
                 "'-' or '_', with a letter or digit first"};
  }
  if (value.size() > kMaxValue || printable(value) != value) {
    return Error{quote(pair) +
                 " has a value that can't be stored; expected at most 1 KiB of UTF-8 without "
                 "control characters"};
  }
  labels[std::string(key)] = value;
  if (total_bytes(labels) > kMaxLabelBytes) {
    return Error{quote(pair) + " is one label too many; expected at most 7 KiB in all"};
  }
  return Success{};
}

Status add_labels(Labels& labels, std::string_view list) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    const std::string_view pair = trim(list.substr(0, comma));
    list.remove_prefix(std::min(comma + 1, list.size()));
    if (pair.empty()) continue;
    if (const Status added = add_label(labels, pair); !added) return added;
  }
  return Success{};
}

}  // namespace integcov::config
