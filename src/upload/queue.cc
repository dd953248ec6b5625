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

// The file's newer version takes the place of the one that was just tried.
void Queue::start_anew(UploadId id, Entry& entry) {
  entry.file = *std::exchange(entry.newer, std::nullopt);
  entry.failures = 0;
  entry.backoff.restart();
  make_ready(id, entry);
}

void Queue::count(const FileEntry& file) {
  stored_[file.path] = file.size;
  ++totals_.stored;
  totals_.bytes += file.size;
}

void Queue::uncount(const std::string& path) {
  const auto stored = stored_.extract(path);
  if (!stored) return;
  --totals_.stored;
  totals_.bytes -= stored.mapped();
}

void Queue::add(const FileEntry& file, Rank rank, std::uint64_t order) {
  const auto [known, is_new] = by_path_.try_emplace(file.path, last_id_ + 1);
  if (is_new) {
    uncount(file.path);
    Entry entry;
    entry.file = file;
    entry.rank = rank;
    entry.order = order;
    Entry& added = entries_.emplace(++last_id_, std::move(entry)).first->second;
    make_ready(last_id_, added);
    return;
  }
  Entry& entry = entries_.at(known->second);
  if (entry.state == State::running) {
    entry.newer = file;
    return;
  }
  entry.file = file;
  if (entry.state == State::gave_up) make_ready(known->second, entry);
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
  return Job{id, entry.file};
}

Verdict Queue::finished(UploadId id, const Outcome& outcome, MonoTime now) {
  Entry& entry = entries_.at(id);
  running_.erase(id);
  if (std::holds_alternative<Stored>(outcome)) {
    if (entry.newer) {
      start_anew(id, entry);
    } else {
      count(entry.file);
      by_path_.erase(entry.file.path);
      entries_.erase(id);
    }
    return Verdict::stored;
  }

  if (std::holds_alternative<Vanished>(outcome)) {
    if (entry.newer) {
      start_anew(id, entry);
      return Verdict::will_retry;
    }
    by_path_.erase(entry.file.path);
    entries_.erase(id);
    return Verdict::vanished;
  }

  const auto& failed = std::get<Failed>(outcome);
  entry.reason = failed.reason;
  if (entry.newer && !failed.retryable) {
    start_anew(id, entry);
    return Verdict::will_retry;
  }
  if (entry.newer) entry.file = *std::exchange(entry.newer, std::nullopt);
  ++entry.failures;
  if (!failed.retryable) {
    entry.state = State::gave_up;
    return Verdict::gave_up;
  }
  if (failed.progressed) entry.backoff.restart();
  const Duration longest = in_hurry_ ? kLongestWaitInHurry : kLongestWait;
  const Duration wait = entry.backoff.next(random_, longest);
  entry.server_says = now + failed.retry_after.value_or(Duration::zero());
  delay(id, entry, std::max(now + wait, entry.server_says), now);
  return Verdict::will_retry;
}

void Queue::hurry(MonoTime now, MonoTime finish_by) {
  held_until_ = now;
  in_hurry_ = true;
  for (auto& [id, entry] : entries_) {
    if (entry.state != State::delayed && entry.state != State::gave_up) continue;
    entry.backoff.restart();
    if (entry.state == State::gave_up || entry.server_says <= now) {
      make_ready(id, entry);
    } else {
      delayed_.erase({entry.not_before, id});
      delay(id, entry, entry.server_says, now);
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

std::vector<UploadId> Queue::running() const { return {running_.begin(), running_.end()}; }

std::vector<Unsaved> Queue::unsaved() const {
  std::map<Worth, const Entry*> sorted;
  for (const auto& [id, entry] : entries_) sorted.emplace(worth(id, entry), &entry);
  std::vector<Unsaved> result;
  result.reserve(sorted.size());
  for (const auto& [_, entry] : sorted) result.push_back({entry->file, entry->reason});
  return result;
}

int Queue::failures(UploadId id) const {
  const auto entry = entries_.find(id);
  return entry == entries_.end() ? 0 : entry->second.failures;
}

const FileEntry* Queue::file(UploadId id) const {
  const auto entry = entries_.find(id);
  return entry == entries_.end() ? nullptr : &entry->second.file;
}

}  // namespace integcov::upload
