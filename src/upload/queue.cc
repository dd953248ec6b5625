#include "upload/queue.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace integcov::upload {

Queue::Worth Queue::worth(UploadId id, const Entry& entry) {
  return {entry.rank, std::numeric_limits<std::uint64_t>::max() - entry.order, id};
}

void Queue::make_ready(UploadId id, Entry& entry) {
  if (entry.state == State::delayed) delayed_.erase({entry.not_before, id});
  entry.state = State::ready;
  ready_.insert(worth(id, entry));
}

void Queue::delay(UploadId id, Entry& entry, MonoTime until, MonoTime now) {
  if (finish_by_ && until >= *finish_by_ && now < *finish_by_ &&
      !std::exchange(entry.had_last_chance, true)) {
    until = *finish_by_ - std::min(kLastChance, (*finish_by_ - now) / 2);
  }
  entry.state = State::delayed;
  entry.not_before = until;
  delayed_.emplace(until, id);
}

// Of the same object.
bool Queue::Tried::other_version_than(const Version& version) const {
  return object == version.object &&
         (size != version.file.size || mtime_ns != version.file.mtime_ns);
}

void Queue::set_version(Entry& entry, Version version) {
  if (entry.version.object == version.object) version.replaces |= entry.version.replaces;
  if (entry.tried) version.replaces |= entry.tried->other_version_than(version);
  entry.version = std::move(version);
}

// The earliest start of the entry's version for the sake of the one that was tried last.
MonoTime Queue::next_version_at(const Entry& entry) const {
  if (!entry.tried || !entry.tried->other_version_than(entry.version)) return MonoTime::min();
  return entry.tried->start + between_versions_;
}

// Precondition: it isn't running.
void Queue::schedule(UploadId id, Entry& entry) {
  MonoTime until = next_version_at(entry);
  if (finish_by_ && until >= *finish_by_) until = MonoTime::min();  // now or never
  entry.not_sooner = std::max(entry.not_sooner, until);
  if (entry.state == State::delayed) until = std::max(until, entry.not_before);
  if (until == MonoTime::min()) {
    make_ready(id, entry);
    return;
  }
  if (entry.state == State::delayed) delayed_.erase({entry.not_before, id});
  ready_.erase(worth(id, entry));
  entry.state = State::delayed;
  entry.not_before = until;
  delayed_.emplace(until, id);
}

// The file's newer version takes the place of the one that was just tried.
void Queue::start_anew(UploadId id, Entry& entry) {
  set_version(entry, *std::exchange(entry.newer, std::nullopt));
  entry.failures = 0;
  entry.backoff.restart();
  schedule(id, entry);
}

void Queue::count(const Entry& entry) {
  if (entry.rank == Rank::record) return;
  const FileEntry& file = entry.version.file;
  stored_[file.path] = {file.size, entry.tried.value_or(Tried{})};
  ++totals_.stored;
  totals_.bytes += file.size;
}

std::optional<Queue::Tried> Queue::uncount(const std::string& path) {
  const auto stored = stored_.extract(path);
  if (!stored) return std::nullopt;
  --totals_.stored;
  totals_.bytes -= stored.mapped().bytes;
  return stored.mapped().tried;
}

void Queue::add(const FileEntry& file, Rank rank, std::uint64_t order, std::string object,
                bool replaces) {
  if (object == file.path) object.clear();
  Version version{file, std::move(object), replaces};
  const auto [known, is_new] = by_path_.try_emplace(file.path, last_id_ + 1);
  if (is_new) {
    Entry& entry = entries_[++last_id_];
    entry.rank = rank;
    entry.order = order;
    entry.tried = uncount(file.path);
    set_version(entry, std::move(version));
    schedule(last_id_, entry);
    return;
  }
  Entry& entry = entries_.at(known->second);
  if (entry.state == State::running) {
    entry.newer = std::move(version);
    return;
  }
  const bool renamed = entry.version.object != version.object;
  set_version(entry, std::move(version));
  if (!renamed) return schedule(known->second, entry);
  entry.backoff.restart();
  make_ready(known->second, entry);
}

std::optional<Job> Queue::next(MonoTime now) {
  while (!delayed_.empty() && delayed_.begin()->first <= now) {
    const UploadId id = delayed_.begin()->second;
    make_ready(id, entries_.at(id));
  }
  if (ready_.empty() || running_.size() >= parallel_ || now < held_until_) return std::nullopt;
  const UploadId id = std::get<2>(*ready_.begin());
  ready_.erase(ready_.begin());
  running_.insert(id);
  Entry& entry = entries_.at(id);
  entry.state = State::running;
  const auto& [file, object, replaces] = entry.version;
  entry.tried = Tried{object, file.size, file.mtime_ns, now};
  return Job{id, file, object, replaces};
}

Verdict Queue::finished(UploadId id, const Outcome& outcome, MonoTime now) {
  Entry& entry = entries_.at(id);
  running_.erase(id);
  if (std::holds_alternative<Stored>(outcome)) {
    if (entry.newer) {
      start_anew(id, entry);
    } else {
      count(entry);
      by_path_.erase(entry.version.file.path);
      entries_.erase(id);
    }
    return Verdict::stored;
  }

  if (std::holds_alternative<Vanished>(outcome)) {
    if (entry.newer) {
      start_anew(id, entry);
      return Verdict::will_retry;
    }
    by_path_.erase(entry.version.file.path);
    entries_.erase(id);
    return Verdict::vanished;
  }

  const auto& failed = std::get<Failed>(outcome);
  entry.reason = failed.reason;
  if (entry.newer && !failed.retryable) {
    start_anew(id, entry);
    return Verdict::will_retry;
  }
  if (entry.newer) set_version(entry, *std::exchange(entry.newer, std::nullopt));
  ++entry.failures;
  if (!failed.retryable) {
    entry.state = State::gave_up;
    return Verdict::gave_up;
  }
  if (failed.progressed) entry.backoff.restart();
  const Duration longest = in_hurry_ ? kLongestWaitInHurry : kLongestWait;
  const Duration wait = entry.backoff.next(random_, longest);
  entry.not_sooner =
      std::max(now + failed.retry_after.value_or(Duration::zero()), next_version_at(entry));
  delay(id, entry, std::max(now + wait, entry.not_sooner), now);
  return Verdict::will_retry;
}

void Queue::hurry(MonoTime now, MonoTime finish_by) {
  held_until_ = now;
  in_hurry_ = true;
  for (auto& [id, entry] : entries_) {
    if (entry.state != State::delayed && entry.state != State::gave_up) continue;
    entry.backoff.restart();
    if (entry.state == State::gave_up || entry.not_sooner <= now) {
      make_ready(id, entry);
    } else {
      delayed_.erase({entry.not_before, id});
      delay(id, entry, entry.not_sooner, now);
    }
  }
  this->finish_by(finish_by, now);
}

void Queue::finish_by(MonoTime time, MonoTime now) {
  finish_by_ = time;
  for (auto& [id, entry] : entries_) {
    if (entry.state != State::delayed || entry.not_before < time) continue;
    delayed_.erase({entry.not_before, id});
    entry.had_last_chance = false;  // it didn't come to that
    delay(id, entry, entry.not_before, now);
  }
}

std::optional<MonoTime> Queue::deadline() const {
  if (running_.size() >= parallel_) return std::nullopt;
  if (!ready_.empty()) return held_until_;
  if (!delayed_.empty()) return std::max(held_until_, delayed_.begin()->first);
  return std::nullopt;
}

bool Queue::idle() const { return ready_.empty() && delayed_.empty() && running_.empty(); }

bool Queue::waiting(Rank rank) const {
  if (!ready_.empty() && std::get<Rank>(*ready_.begin()) <= rank) return true;
  const auto waits = [&](UploadId id) { return entries_.at(id).rank <= rank; };
  return std::ranges::any_of(delayed_, waits, &std::pair<MonoTime, UploadId>::second) ||
         std::ranges::any_of(running_,
                             [&](UploadId id) { return waits(id) && entries_.at(id).newer; });
}

std::vector<UploadId> Queue::running() const { return {running_.begin(), running_.end()}; }

std::vector<Unsaved> Queue::unsaved() const {
  std::map<Worth, const Entry*> sorted;
  for (const auto& [id, entry] : entries_) sorted.emplace(worth(id, entry), &entry);
  // Records don't count, unless nothing but them is left.
  const auto is_record = [](const auto& ranked) { return ranked.second->rank == Rank::record; };
  if (!std::ranges::all_of(sorted, is_record)) std::erase_if(sorted, is_record);
  std::vector<Unsaved> result;
  result.reserve(sorted.size());
  for (const auto& [_, entry] : sorted) result.push_back({entry->version.file, entry->reason});
  return result;
}

int Queue::failures(UploadId id) const {
  const auto entry = entries_.find(id);
  return entry == entries_.end() ? 0 : entry->second.failures;
}

const FileEntry* Queue::file(UploadId id) const {
  const auto entry = entries_.find(id);
  return entry == entries_.end() ? nullptr : &entry->second.version.file;
}

}  // namespace integcov::upload
