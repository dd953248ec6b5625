// Everything the user can set, after parsing.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/log.h"
#include "base/time.h"
#include "config/flush_options.h"
#include "config/gcs_options.h"
#include "config/labels.h"
#include "config/storage_url.h"

namespace integcov::config {

enum class LogFormat { automatic, text, json };

struct Config {
  StorageLocation storage;
  std::string coverdir = "/tmp/integcov";  // as given: the caller makes it absolute
  FlushOptions flush;
  Duration grace = std::chrono::seconds(10);
  Duration upload_timeout = std::chrono::seconds(60);
  std::optional<int> stop_signal;  // nullopt: as received
  bool fail_on_upload_error = false;
  Labels labels;
  GcsOptions gcs;
  LogFormat log_format = LogFormat::automatic;
  Severity log_level = Severity::info;
  bool disabled = false;  // run the program untouched; the rest may be incomplete then

  friend bool operator==(const Config&, const Config&) = default;
};

}  // namespace integcov::config
