// The one table of all settings: parsing, help and the search for misspellings read it.
#pragma once

#include <span>
#include <string_view>

#include "base/result.h"
#include "config/config.h"

namespace integcov::config {

enum class Origin { environment, flag };

struct Setting {
  std::string_view env;
  std::string_view flag;          // without dashes
  std::string_view placeholder;   // empty: a switch, which needs no value
  std::string_view default_text;  // as a user would write it; empty: unset
  std::string_view meaning;       // for the help, without a full stop
  bool repeatable = false;        // flags add to the environment and to each other

  // Parses a value that isn't empty. The error quotes the value and says what is expected; the
  // caller puts the setting's name before it.
  Status (*apply)(Config& config, std::string_view value, Origin origin);
};

std::span<const Setting> settings();
const Setting* find_by_flag(std::string_view flag);  // nullptr if there is none
const Setting* find_by_env(std::string_view env);    // nullptr if there is none

// As Go's strconv.ParseBool, also yes, no, on and off, in any case of letters.
Result<bool> parse_bool(std::string_view text);

}  // namespace integcov::config
