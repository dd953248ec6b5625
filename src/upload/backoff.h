// Exponential backoff with full jitter: each wait is uniform in (0, ceiling], the ceiling doubles.
#pragma once

#include "base/random.h"
#include "base/time.h"

namespace integcov::upload {

class Backoff {
 public:
  // First ceiling as Google's Go client has it (google.golang.org/api gensupport/retry.go).
  static constexpr Duration kInitial = std::chrono::milliseconds(100);

  Duration next(Random& random, Duration longest);
  void restart() { ceiling_ = kInitial; }

 private:
  Duration ceiling_ = kInitial;
};

}  // namespace integcov::upload
