#include "coverage/file_name.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace integcov::coverage {
namespace {

constexpr std::string_view kMetaPrefix = "covmeta.";
constexpr std::string_view kCountersPrefix = "covcounters.";
constexpr std::size_t kHashDigits = 32;

bool is_hash(std::string_view text) {
  return text.size() == kHashDigits && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

bool is_record(std::string_view name) {
  constexpr std::string_view kPrefix = "integcov.";
  if (!name.starts_with(kPrefix)) return false;
  name.remove_prefix(kPrefix.size());
  const std::size_t dot = std::min(name.find('.'), name.size());
  const std::string_view rest = name.substr(dot);
  return is_hash(name.substr(0, dot)) && (rest == ".start.json" || rest == ".end.json");
}

// Decimal digits only, no sign, in range.
template <class T>
std::optional<T> parse_number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<FileName> parse_counters(std::string_view rest) {
  if (rest.size() < kHashDigits + 1 || rest[kHashDigits] != '.') return std::nullopt;
  const std::string_view hash = rest.substr(0, kHashDigits);
  rest.remove_prefix(kHashDigits + 1);
  const std::size_t dot = rest.find('.');
  if (!is_hash(hash) || dot == std::string_view::npos) return std::nullopt;
  const auto pid = parse_number<std::uint32_t>(rest.substr(0, dot));
  const auto time_ns = parse_number<std::uint64_t>(rest.substr(dot + 1));
  if (!pid || !time_ns) return std::nullopt;
  return FileName{FileKind::covcounters, std::string(hash), *pid, *time_ns};
}

// Go's are the final name and the time, with nothing in between.
FileName parse_temporary(std::string_view rest) {
  FileName name{.kind = FileKind::temporary};
  if (!rest.starts_with(kMetaPrefix)) return name;
  rest.remove_prefix(kMetaPrefix.size());
  const std::string_view hash = rest.substr(0, kHashDigits);
  if (!is_hash(hash)) return name;
  name.hash = hash;
  name.time_ns = parse_number<std::uint64_t>(rest.substr(kHashDigits)).value_or(0);
  return name;
}

}  // namespace

FileName parse_file_name(std::string_view path) {
  const std::string_view first = path.substr(0, path.find('/'));
  if (first == kControlFolder) return {.kind = FileKind::control};

  const std::string_view name = path.substr(path.rfind('/') + 1);  // npos + 1 is 0
  if (name.starts_with("tmp.")) return parse_temporary(name.substr(4));
  if (name.starts_with(kMetaPrefix) && is_hash(name.substr(kMetaPrefix.size()))) {
    return {.kind = FileKind::covmeta, .hash = std::string(name.substr(kMetaPrefix.size()))};
  }
  if (is_record(name)) return {.kind = FileKind::record};
  if (name.starts_with(kCountersPrefix)) {
    if (auto counters = parse_counters(name.substr(kCountersPrefix.size()))) return *counters;
  }
  return {.kind = FileKind::other};
}

}  // namespace integcov::coverage
