#include "supervise/fold.h"

#include <algorithm>

namespace integcov::supervise {

bool of_one_image(const Standing& standing, const Appeared& appeared, const Sighting& now) {
  const bool newer = appeared.time_ns > standing.newest_ns;
  const bool from_memory = !appeared.memory.image.empty();
  if (standing.sure && from_memory) return appeared.memory.image == standing.seen.image;
  const bool times_compare = now.until_ns > 0;
  if (times_compare) {
    if (standing.sure && !newer && appeared.time_ns > standing.first_ns) return true;
    if (standing.sure && ran_then(standing.seen, appeared.time_ns)) return true;
    if (ran_then(appeared.memory, standing.newest_ns)) return true;
  }
  // It runs since before both.
  if (ran_at(now, std::min(standing.newest_ns, appeared.time_ns))) return true;
  // An image whose memory can be read may not have come to write its covmeta.
  if (standing.seen.image.empty() || from_memory) return false;
  // A covmeta from before the one that was seen says nothing: the clock was set back.
  const bool in_order = now.meta.changed_ns >= standing.seen.meta.changed_ns;
  if (in_order && none_started_since(now.meta, newer ? standing.written_ns : appeared.written_ns)) {
    return true;
  }
  if (!newer) return false;
  if (now.meta.inode != 0 && now.meta == standing.seen.meta) return true;
  return standing.sure && same_image(standing.seen, now);
}

bool overlap(const Standing& standing, const Appeared& appeared) {
  constexpr std::int64_t kFileClock = 10'000'000;  // a tick that the file system's clock is behind
  const bool newer = appeared.time_ns > standing.newest_ns;
  const std::int64_t read = newer ? standing.read_ns : appeared.read_ns;
  const auto named = static_cast<std::int64_t>(std::max(appeared.time_ns, standing.newest_ns));
  return read + kFileClock >= named;
}

namespace {

Judgement judge_one_image(const coverage::Counters& standing, const coverage::Counters& appeared,
                          Order order) {
  using coverage::Growth;
  const coverage::Counters& older = order.appeared_newer ? standing : appeared;
  const coverage::Counters& newer = order.appeared_newer ? appeared : standing;
  const Fold newer_stays = order.appeared_newer ? Fold::replaced : Fold::superseded;
  switch (coverage::compare(older, newer)) {
    case Growth::smaller: break;
    case Growth::equal: return {order.appeared_newer ? Fold::unchanged : Fold::superseded};
    case Growth::grown: return {newer_stays};
    case Growth::wrapped: return {newer_stays, true};
  }
  if (order.overlap && coverage::compare(newer, older) == Growth::grown) {
    return {order.appeared_newer ? Fold::superseded : Fold::replaced};
  }
  return {.fold = Fold::kept};
}

}  // namespace

Judgement judge(const std::optional<coverage::Counters>& standing,
                const std::optional<coverage::Counters>& appeared, Order order, Images images) {
  if (!appeared) return {Fold::unreadable};
  if (!standing) return {Fold::kept};
  Judgement judgement = judge_one_image(*standing, *appeared, order);
  judgement.anew = judgement.fold == Fold::kept && images != Images::one;
  if (images == Images::one || judgement.fold == Fold::kept) return judgement;
  return {images == Images::open ? Fold::undecided : Fold::kept};
}

}  // namespace integcov::supervise
