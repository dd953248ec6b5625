// How one attempt to store one file ended. A backend tries once and classifies; the queue retries.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "base/time.h"

namespace integcov::upload {

// Identifies one file's upload in the queue, over all its attempts.
using UploadId = std::uint64_t;

struct Stored {
  bool already_there = false;  // an equal object was there before; nothing was sent again
  std::string note;            // not empty: a sentence worth one warning
};

struct Failed {
  bool retryable = false;
  std::optional<Duration> retry_after;  // the server's Retry-After, measured from now
  bool progressed = false;              // the server holds more bytes than before: backoff restarts
  std::string reason;                   // for the user: "HTTP 403 …"; never a token or a signed URL
  // The object exists with other content, which these credentials may not replace, or not look at:
  // only another name can help.
  bool may_not_replace = false;
};

// The file was deleted before it could be read: its owner doesn't want it any more.
struct Vanished {};

using Outcome = std::variant<Stored, Failed, Vanished>;

}  // namespace integcov::upload
