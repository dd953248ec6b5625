// Durations as Go writes them (pkg.go.dev/time#ParseDuration).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace integcov::config {

// "1m30s", "1.5h", "300ms", "0"; units ns us µs ms s m h. Never negative.
Result<Duration> parse_duration(std::string_view text);

// What Go's Duration.String gives: "1m30s", "1.5s", "0s".
std::string format_duration(Duration duration);

}  // namespace integcov::config
