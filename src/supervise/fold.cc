#include "supervise/fold.h"

#include <algorithm>

namespace integcov::supervise {

bool of_one_image(const Standing& standing, const Appeared& appeared, const Sighting& now) {
  const bool newer = appeared.time_ns > standing.newest_ns;
  if (standing.sure && !appeared.image.empty()) return appeared.image == standing.seen.image;
  // It runs since before both.
  if (ran_at(now, std::min(standing.newest_ns, appeared.time_ns))) return true;
  if (standing.seen.image.empty()) return false;
  // A covmeta from before the one that was seen: the clock was set back.
  if (now.meta.changed_ns < standing.seen.meta.changed_ns) return false;
  if (none_started_since(now.meta, newer ? standing.written_ns : appeared.written_ns)) return true;
  if (!newer) return false;
  if (now.meta.inode != 0 && now.meta == standing.seen.meta) return true;
  return standing.sure && same_image(standing.seen, now);
}

Judgement judge(const std::optional<coverage::Counters>& standing,
                const std::optional<coverage::Counters>& appeared, bool appeared_newer,
                bool one_image) {
  if (!appeared) return {Fold::unreadable};
  if (!standing || !one_image) return {Fold::kept};
  using coverage::Growth;
  const Growth growth = appeared_newer ? coverage::compare(*standing, *appeared)
                                       : coverage::compare(*appeared, *standing);
  switch (growth) {
    case Growth::smaller: return {Fold::kept};
    case Growth::equal: return {appeared_newer ? Fold::unchanged : Fold::superseded};
    case Growth::grown: return {appeared_newer ? Fold::replaced : Fold::superseded};
    case Growth::wrapped: return {appeared_newer ? Fold::replaced : Fold::superseded, true};
  }
  return {Fold::kept};
}

}  // namespace integcov::supervise
