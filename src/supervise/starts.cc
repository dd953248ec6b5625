#include "supervise/starts.h"

#include <algorithm>
#include <vector>

namespace integcov::supervise {

void Starts::watched(std::uint64_t tick) {
  watching_ = true;
  add(kMissing, {.tick = tick});
}

Starts::Program Starts::program_of(const std::string& hash) {
  return programs_.try_emplace(hash, programs_.size() + 1).first->second;
}

void Starts::add(Program program, const ImageStart& start) {
  log_.push_back({program, start});
  if (log_.size() <= kMost) return;
  log_.pop_front();
  ++first_;
  std::erase_if(known_, [this](const Known& image) { return image.after < first_; });
}

Starts::Count Starts::before(std::uint64_t tick) const {
  Count count = first_ + log_.size();
  while (count > first_ && at(count).told.tick >= tick) --count;
  return count;
}

Starts::Count Starts::before(std::uint32_t pid, Count from, std::uint32_t last_pid) const {
  Count before = from;
  while (from >= first_ && before < count()) {
    const std::uint32_t given = at(before + 1).told.last_pid;
    if (given < last_pid || given >= pid) break;
    last_pid = given;
    ++before;
  }
  return before;
}

Starts::Count Starts::not_after(std::uint64_t time_ns, Count count) const {
  while (count > first_ && at(count).told.time_ns > time_ns) --count;
  return count;
}

Starts::Stretch Starts::between(std::uint64_t since_ns, std::uint64_t until_ns,
                                Stretch stretch) const {
  const auto outside = [&](Count count) {
    const std::uint64_t said = at(count).told.time_ns;
    return said > 0 && (said <= since_ns || said > until_ns);
  };
  auto [after, by] = stretch;
  if (after < first_ || by > count()) return stretch;
  while (after < by && outside(after + 1)) ++after;
  while (after < by && outside(by)) --by;
  return {after, by};
}

void Starts::known(const std::string& hash, Count after, Count by) {
  const Program program = program_of(hash);
  // Without any in between something was told wrongly, as by a process of another PID namespace.
  if (after <= first_ || !any_of(program, after, by)) return;
  known_.push_back({program, after, by});
  if (known_.size() > kMost) known_.pop_front();
}

bool Starts::any_of(Program program, Count after, Count by) const {
  for (Count count = after + 1; count <= std::min(by, this->count()); ++count) {
    if (at(count).program == program) return true;
  }
  return false;
}

// Which start is which image's isn't told. But all in a stretch of the log, which may begin before
// `after` and end behind `by`, are of known images if there are as many of these whose start must
// lie in it.
bool Starts::all_known(const std::string& hash, Stretch stretch) const {
  const auto [after, by] = stretch;
  if (!watching_ || after <= first_ || by > count()) return false;
  const auto found = programs_.find(hash);
  const Program program = found == programs_.end() ? programs_.size() + 1 : found->second;
  const Count from = std::max(first_, after - std::min(after, kReachBack));
  const Count to = std::min(count(), by + kReach);
  std::vector<Known> known;
  std::ranges::copy_if(known_, std::back_inserter(known), [&](const Known& image) {
    return image.program == program && image.after > from && image.by <= to;
  });
  std::vector<Count> more(to + 1 - by);  // known ones that lie in the stretch if it ends there
  for (Count begin = after; begin > from; --begin) {
    std::ranges::fill(more, 0);
    for (const Known& image : known) {
      if (image.after >= begin) ++more[std::max(image.by, by) - by];
    }
    Count starts = 0;
    Count known_starts = 0;
    for (Count end = begin; end <= to; ++end) {
      if (end > begin) {
        if (at(end).program == kMissing) break;
        if (at(end).program == program) ++starts;
      }
      if (end < by) continue;
      known_starts += more[end - by];
      if (known_starts >= starts) return true;
    }
  }
  return false;
}

}  // namespace integcov::supervise
