// Times as Google's APIs write them (RFC 3339 section 5.6).
#pragma once

#include <optional>
#include <string_view>

#include "base/time.h"

namespace integcov::auth {

// "2026-11-23T01:26:00Z", with any fraction and offset; years 1970 to 2200.
std::optional<WallTime> parse_rfc3339(std::string_view text);

}  // namespace integcov::auth
