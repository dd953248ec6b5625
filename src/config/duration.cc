#include "config/duration.h"

#include <array>
#include <cstdint>
#include <limits>
#include <optional>

#include "config/text.h"

namespace integcov::config {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t nanoseconds;
};

constexpr std::uint64_t kMicrosecond = 1'000;
constexpr std::uint64_t kMillisecond = 1'000'000;
constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kMinute = 60 * kSecond;
constexpr std::uint64_t kHour = 60 * kMinute;
constexpr std::uint64_t kMax = std::numeric_limits<std::int64_t>::max();

constexpr std::array<Unit, 8> kUnits{{
    {"ns", 1},
    {"us", kMicrosecond},
    {"\u00b5s", kMicrosecond},  // micro sign
    {"\u03bcs", kMicrosecond},  // Greek letter mu
    {"ms", kMillisecond},
    {"s", kSecond},
    {"m", kMinute},
    {"h", kHour},
}};

Error malformed(std::string_view text, std::string_view why) {
  return {quote(text) + " " + std::string(why) +
          "; expected a duration such as 10s, 1m30s or 300ms"};
}

std::string_view take_digits(std::string_view& rest) {
  std::size_t length = 0;
  while (length < rest.size() && is_digit(rest[length])) ++length;
  const std::string_view digits = rest.substr(0, length);
  rest.remove_prefix(length);
  return digits;
}

// The part of a unit behind the point. Digits beyond 63 bits are dropped and the product is a
// double, because that is how Go rounds.
std::uint64_t fraction_of(std::string_view digits, std::uint64_t unit) {
  std::uint64_t value = 0;
  double scale = 1;
  for (const char c : digits) {
    if (value > kMax / 10) break;
    const std::uint64_t next = value * 10 + static_cast<std::uint64_t>(c - '0');
    if (next > kMax + 1) break;
    value = next;
    scale *= 10;
  }
  return static_cast<std::uint64_t>(static_cast<double>(value) *
                                    (static_cast<double>(unit) / scale));
}

std::optional<std::uint64_t> take_unit(std::string_view& rest) {
  std::size_t length = 0;
  while (length < rest.size() && rest[length] != '.' && !is_digit(rest[length])) ++length;
  const std::string_view name = rest.substr(0, length);
  for (const Unit& unit : kUnits) {
    if (unit.name == name) {
      rest.remove_prefix(length);
      return unit.nanoseconds;
    }
  }
  return std::nullopt;
}

// "90.25" of the unit, without trailing zeros.
std::string decimal(std::uint64_t value, std::uint64_t unit) {
  std::string out = std::to_string(value / unit);
  std::uint64_t rest = value % unit;
  if (rest == 0) return out;
  out += '.';
  while (rest != 0) {
    unit /= 10;
    out += static_cast<char>('0' + rest / unit);
    rest %= unit;
  }
  return out;
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
  std::string_view rest = text;
  const bool negative = rest.starts_with('-');
  if (negative || rest.starts_with('+')) rest.remove_prefix(1);
  if (rest == "0") return Duration{0};
  if (rest.empty()) return malformed(text, "is not a duration");

  std::uint64_t total = 0;
  while (!rest.empty()) {
    const std::string_view whole = take_digits(rest);
    std::string_view fraction;
    if (rest.starts_with('.')) {
      rest.remove_prefix(1);
      fraction = take_digits(rest);
    }
    if (whole.empty() && fraction.empty()) return malformed(text, "is not a duration");
    if (rest.empty() || is_digit(rest[0]) || rest[0] == '.') {
      return malformed(text, "has a number without a unit");
    }
    const std::optional<std::uint64_t> unit = take_unit(rest);
    if (!unit) return malformed(text, "has an unknown unit");

    const std::optional<std::uint64_t> number = whole.empty() ? 0 : parse_digits(whole);
    if (!number || *number > kMax / *unit) return malformed(text, "is too long");
    // Both are at most 2^63 - 1, and a fraction is at most one hour: no sum below wraps around.
    const std::uint64_t part = *number * *unit + fraction_of(fraction, *unit);
    if (part > kMax || total > kMax - part) return malformed(text, "is too long");
    total += part;
  }
  if (negative && total != 0) return malformed(text, "is negative");
  return Duration{static_cast<Duration::rep>(total)};
}

std::string format_duration(Duration duration) {
  const auto count = static_cast<std::uint64_t>(duration.count());
  const bool negative = duration.count() < 0;
  const std::uint64_t value = negative ? 0 - count : count;
  std::string out = negative ? "-" : "";
  if (value == 0) return "0s";
  if (value < kMicrosecond) return out + std::to_string(value) + "ns";
  if (value < kMillisecond) return out + decimal(value, kMicrosecond) + "\u00b5s";
  if (value < kSecond) return out + decimal(value, kMillisecond) + "ms";
  if (value >= kHour) out += std::to_string(value / kHour) + "h";
  if (value >= kMinute) out += std::to_string(value % kHour / kMinute) + "m";
  return out + decimal(value % kMinute, kSecond) + "s";
}

}  // namespace integcov::config
