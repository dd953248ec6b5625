#include "supervise/program_starts.h"

#include <algorithm>
#include <utility>

namespace integcov::supervise {

bool ProgramStarts::covmeta_written(const std::string& hash, std::int64_t mtime_ns, MonoTime now) {
  const auto [known, is_new] = covmeta_ns_.try_emplace(hash, mtime_ns);
  if (std::exchange(known->second, mtime_ns) == mtime_ns && !is_new) return false;
  if (!next_look_) next_look_ = looked_ ? std::max(now, *looked_ + kBetweenLooks) : now;
  return true;
}

void ProgramStarts::looked(MonoTime now) {
  looked_ = now;
  next_look_.reset();
}

bool ProgramStarts::take_look(MonoTime now) {
  if (!next_look_ || now < *next_look_) return false;
  looked(now);
  return true;
}

std::vector<std::string> ProgramStarts::hashes() const {
  std::vector<std::string> all;
  for (const auto& [hash, _] : covmeta_ns_) all.push_back(hash);
  return all;
}

}  // namespace integcov::supervise
