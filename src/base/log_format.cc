#include "base/log_format.h"

#include <array>
#include <cstdint>
#include <cstdio>

#include "base/encoding.h"

namespace integcov {

std::string_view severity_name(Severity severity) {
  switch (severity) {
    case Severity::debug: return "DEBUG";
    case Severity::info: return "INFO";
    case Severity::notice: return "NOTICE";
    case Severity::warning: return "WARNING";
    case Severity::error: return "ERROR";
  }
  return "DEFAULT";
}

std::string format_text(const LogRecord& record, bool color) {
  std::string_view word;
  std::string_view paint;
  switch (record.severity) {
    case Severity::debug: word = "debug: "; break;
    case Severity::warning: word = "warning: ", paint = "\x1b[33m"; break;
    case Severity::error: word = "error: ", paint = "\x1b[31m"; break;
    case Severity::info:
    case Severity::notice: break;
  }
  std::string line = "go-integcov: ";
  if (color && !paint.empty()) {
    line.append(paint).append(word).append("\x1b[0m");
  } else {
    line.append(word);
  }
  return line + printable(record.message) + '\n';
}

std::string format_json(const LogRecord& record, WallTime time,
                        const std::map<std::string, std::string>& labels) {
  std::string line = "{\"severity\":\"";
  line += severity_name(record.severity);
  line += "\",\"message\":" + json_quote("go-integcov: " + record.message);
  line += ",\"time\":\"" + format_rfc3339(time) + "\"";
  if (!labels.empty()) {
    line += ",\"logging.googleapis.com/labels\":{";
    bool first = true;
    for (const auto& [key, value] : labels) {
      if (!first) line += ',';
      first = false;
      line += json_quote(key) + ':' + json_quote(value);
    }
    line += '}';
  }
  return line + "}\n";
}

std::string format_rfc3339(WallTime time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{time - day};
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%09dZ",
                static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
                static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()),
                static_cast<int>(clock.subseconds().count()));
  return text.data();
}

std::string count_of(std::size_t n, std::string_view noun) {
  return std::to_string(n) + ' ' + std::string(noun) + (n == 1 ? "" : "s");
}

std::string format_bytes(std::uint64_t bytes) {
  if (bytes < 1000) return std::to_string(bytes) + " B";
  constexpr std::array<std::string_view, 5> kUnits{"kB", "MB", "GB", "TB", "PB"};
  double value = static_cast<double>(bytes) / 1000;
  std::size_t unit = 0;
  while (value >= 999.95 && unit + 1 < kUnits.size()) {
    value /= 1000;
    ++unit;
  }
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f ", value);
  return text.data() + std::string(kUnits[unit]);
}

}  // namespace integcov
