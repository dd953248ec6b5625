// Log records as bytes for stderr.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/log.h"
#include "base/time.h"

namespace integcov {

std::string_view severity_name(Severity severity);  // Cloud Logging's: "WARNING", …

// "go-integcov: warning: MESSAGE\n"; info and notice carry no severity word. Control characters in
// the message are escaped.
std::string format_text(const LogRecord& record, bool color);

// One line of Cloud Logging's structured JSON (cloud.google.com/logging/docs/structured-logging):
// severity, message, time (RFC 3339, UTC, nanoseconds) and logging.googleapis.com/labels.
std::string format_json(const LogRecord& record, WallTime time,
                        const std::map<std::string, std::string>& labels);

// RFC 3339 in UTC with nine fractional digits: "2026-11-23T01:26:00.000000000Z".
std::string format_rfc3339(WallTime time);

// "1 file", "3 files".
std::string count_of(std::size_t n, std::string_view noun);
// "512 B", "1.4 MB": decimal units, as the field's tools show sizes.
std::string format_bytes(std::uint64_t bytes);

}  // namespace integcov
