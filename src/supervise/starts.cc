#include "supervise/starts.h"

#include <algorithm>
#include <vector>

namespace integcov::supervise {

void Starts::watched(std::uint64_t tick) {
  watching_ = true;
  add("", tick);
}

void Starts::add(std::string hash, std::uint64_t tick) {
  log_.push_back({std::move(hash), tick});
  if (log_.size() <= kMost) return;
  log_.pop_front();
  ++first_;
  std::erase_if(known_, [this](const Known& image) { return image.after < first_; });
}

Starts::Count Starts::before(std::uint64_t tick) const {
  Count count = first_ + log_.size();
  while (count > first_ && at(count).tick >= tick) --count;
  return count;
}

void Starts::known(std::string hash, Count after, Count by) {
  if (after > first_) known_.push_back({std::move(hash), after, by});
}

// Which start is which image's isn't told. But all in a stretch of the log, which may begin before
// `after` and end behind `by`, are of known images if there are as many of these whose start must
// lie in it.
bool Starts::all_known(const std::string& hash, Count after, Count by) const {
  if (!watching_ || after <= first_ || by > count()) return false;
  std::vector<Count> more(count() + 1 - by);  // known ones that lie in it if it ends there
  for (Count begin = after; begin > first_; --begin) {
    std::ranges::fill(more, 0);
    for (const Known& image : known_) {
      if (image.hash == hash && image.after >= begin) ++more[std::max(image.by, by) - by];
    }
    Count starts = 0;
    Count known_starts = 0;
    for (Count end = begin; end <= count(); ++end) {
      if (end > begin) {
        if (at(end).hash.empty()) break;
        if (at(end).hash == hash) ++starts;
      }
      if (end < by) continue;
      known_starts += more[end - by];
      if (known_starts >= starts) return true;
    }
  }
  return false;
}

}  // namespace integcov::supervise
