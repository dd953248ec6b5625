// What Snapshots finds out about files that can't be judged yet: whose image has started when.
#include <algorithm>
#include <utility>

#include "supervise/snapshots.h"

namespace integcov::supervise {

bool Snapshots::began_after(const List& list, const coverage::FileName& name) {
  return static_cast<std::int64_t>(name.time_ns) > list.end_ns && list.last_pid > 0 &&
         name.pid > list.last_pid && !list.process_starts.contains(name.pid);
}

Starts::Count Snapshots::started_before(const coverage::FileName& name) const {
  Starts::Count before = 0;
  for (const List* list : {&list_before_, &list_}) {
    if (began_after(*list, name)) {
      before = std::max(before, starts_.before(name.pid, list->starts, list->last_pid));
    }
    const auto start = list->process_starts.find(name.pid);
    if (start != list->process_starts.end() && start->second > 0) {
      before = std::max(before, starts_.before(start->second));
    }
  }
  return before;
}

void Snapshots::has_started(const Process& process, Starts::Count by) {
  Start& start = series_.at(process).start;
  if (start.by == 0) start.by = by;
  if (start.after == 0 || std::exchange(start.is_known, true)) return;
  starts_.known(process.second, start.after, start.by);
  news_ = true;
}

Snapshots::Start Snapshots::next_start(const Series& before, const Sighting& seen) {
  // Whichever image that one was is known, and may be this one.
  if (!before.known.sure) return {.is_known = before.start.is_known};
  if (same_image(before.known.seen, seen)) return before.start;
  if (seen.process_start == 0 || seen.process_start != before.start.of_process) return {};
  return {.after = before.known.seen.starts, .of_process = seen.process_start};
}

void Snapshots::know_start(const Process& process, const Sighting& seen) {
  Series& series = series_.at(process);
  if (!series.known.sure || !same_image(series.known.seen, seen)) return;
  Start& start = series.start;
  start.of_process = seen.process_start;
  start.after = std::max(start.after, starts_.before(seen.process_start));
  if (start.by > 0) has_started(process, start.by);
}

bool Snapshots::knows_last_look(const Series& series) {
  return series.known.sure && series.known.seen.exact && series.known.seen.starts > 0;
}

bool Snapshots::wrote_what_waits(const Process& process) const {
  const Series& series = series_.at(process);
  if (!knows_last_look(series)) return false;
  const auto& [time_ns, next] = *series.waiting.begin();
  Starts::Stretch stretch{series.known.seen.starts, next.by};
  if (next.seen && next.seen->until_ns > 0) {
    const auto since = static_cast<std::uint64_t>(series.known.seen.until_ns);
    stretch = starts_.between(since, time_ns, stretch);
  }
  return starts_.all_known(process.second, stretch);
}

void Snapshots::decide_some(MonoTime now) {
  if (undecided_.empty()) return;
  const bool news = news_ && now >= decide_from_;
  if (news) {
    news_ = false;
    decide_from_ = now + kBetweenDecisions;
  }
  std::erase_if(undecided_, [&](const Process& process) {
    Series& series = series_.at(process);
    if (series.waiting.size() > 1) {
      series.undecided_until = std::min(*series.undecided_until, now + kUndecidedFirst);
    }
    series.one_image = news && wrote_what_waits(process);
    if (!series.one_image && now < *series.undecided_until) return false;
    queue(process);
    return true;
  });
}

void Snapshots::decide() {
  news_ = true;
  decide_from_ = MonoTime::min();
  for (const Process& process : undecided_) series_.at(process).undecided_until = MonoTime::min();
}

std::vector<Snapshots::Upload> Snapshots::left_undecided() const {
  std::vector<Upload> left;
  for (const Process& process : undecided_) {
    for (const auto& [time_ns, next] : series_.at(process).waiting) {
      left.push_back({next.file, time_ns, next.file.path});
    }
  }
  return left;
}

std::optional<LookAtWriter> Snapshots::next_look_ahead(Series& series) {
  for (const auto& [_, next] : series.waiting) {
    if (next.seen) continue;
    series.asked = true;
    ++out_;
    return LookAtWriter{next.file.path, series.left};
  }
  return std::nullopt;
}

}  // namespace integcov::supervise
