// A log record as a value; who writes it decides on text or JSON (src/base/log_format.h).
#pragma once

#include <string>

namespace integcov {

// The names follow Cloud Logging's LogSeverity; `notice` is the one summary line of a run.
enum class Severity { debug, info, notice, warning, error };

struct LogRecord {
  Severity severity = Severity::info;
  std::string message;  // one line, without the program's name
};

}  // namespace integcov
