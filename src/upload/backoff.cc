#include "upload/backoff.h"

#include <algorithm>
#include <random>

namespace integcov::upload {

Duration Backoff::next(Random& random, Duration longest) {
  const Duration ceiling = std::min(ceiling_, longest);
  ceiling_ = std::min(ceiling_ * 2, std::max(longest, kInitial));
  std::uniform_int_distribution<Duration::rep> uniform(1,
                                                       std::max<Duration::rep>(1, ceiling.count()));
  return Duration(uniform(random));
}

}  // namespace integcov::upload
