#include "supervise/snapshots.h"

#include <algorithm>
#include <utility>

#include "coverage/file_name.h"

namespace integcov::supervise {

Snapshots::Process Snapshots::process_of(const std::string& path) {
  coverage::FileName name = coverage::parse_file_name(path);
  return {name.pid, std::move(name.hash)};
}

Images images_of(const FoldSnapshot& asked, const Sighting& now) {
  if (asked.one_image || of_one_image(asked.known, asked.of, now)) return Images::one;
  return asked.may_wait && !ran_at(now, asked.of.time_ns) ? Images::open : Images::two;
}

void Snapshots::queue(const Process& process) {
  if (!std::exchange(series_.at(process).due, true)) due_.push_back(process);
}

void Snapshots::forget_some() {
  const auto idle = [&](const Process& process) {
    const Series& series = series_.at(process);
    return !series.asked && series.waiting.empty() && !series.look_again && series.looked;
  };
  const auto ended = [&](const Process& process) {
    return !ran_.contains(process.first) && !series_.at(process).left;
  };
  while (series_.size() > kMostProcesses) {
    auto oldest = std::ranges::find_if(
        by_age_, [&](const Process& process) { return ended(process) && idle(process); });
    if (oldest == by_age_.end()) oldest = std::ranges::find_if(by_age_, idle);
    if (oldest == by_age_.end()) return;
    series_.erase(*oldest);
    by_age_.erase(oldest);
  }
}

void Snapshots::left_running(const LeftRunning& process) {
  const Process key = process_of(process.file.path);
  if (!series_.try_emplace(key).second) return;
  by_age_.push_back(key);
  begin(key, process.file, coverage::parse_file_name(process.file.path).time_ns);
  Series& series = series_.at(key);
  series.known.seen = process.seen;
  series.known.seen.starts = starts_.count();
  series.known.sure = true;
  series.looked = true;
  series.left = true;
  note(series);
}

void Snapshots::saw(const coverage::ReadyFile& file) {
  const Process process{file.name.pid, file.name.hash};
  const auto [found, is_new] = series_.try_emplace(process);
  Series& series = found->second;
  if (is_new) {
    by_age_.push_back(process);
    begin(process, file.file, file.name.time_ns);
  } else if (series.file.path != file.file.path) {
    series.waiting[file.name.time_ns] = {file.file, starts_.count(), std::nullopt};
  } else if (series.file != file.file) {
    begin(process, file.file, file.name.time_ns);  // somebody else wrote it anew
  }
  if (is_new) {
    series.start.after = started_before(file.name);
    // Whose memory it is may be about to start; who wrote it has.
    if (!memory_of_.contains(file.file.path)) series.start.by = starts_.count();
  }
  queue(process);
  if (is_new) forget_some();
}

bool Snapshots::expects(const coverage::FileName& name) const {
  const auto found = series_.find({name.pid, name.hash});
  return found != series_.end() && found->second.left &&
         name.time_ns > found->second.known.newest_ns;
}

void Snapshots::look_again(MonoTime now) {
  constexpr Duration kForEach = std::chrono::milliseconds(1);
  if (restarted_.empty() || now < looks_from_) return;
  looks_from_ = now;
  for (auto& [process, series] : series_) {
    if (!restarted_.contains(process.second) || !series.known.sure || series.gone) continue;
    series.look_again = true;
    queue(process);
    looks_from_ += kForEach;
  }
  restarted_.clear();
}

void Snapshots::watched(std::int64_t at_ns, std::uint32_t last_pid) {
  if (list_.end_ns == 0) list_ = {at_ns, starts_.count(), {}, last_pid};
}

void Snapshots::running(const ProcessesFound& found) {
  ran_.clear();
  for (const ProcessesFound::Process& process : found.processes) ran_[process.pid] = process;
  metas_ = found.metas;
  list_before_ =
      std::exchange(list_, {found.end_ns, starts_.count(), found.process_starts, found.last_pid});
}

void Snapshots::begin(const Process& process, FileEntry file, std::uint64_t time_ns) {
  Series& series = series_.at(process);
  series.newest = file.path;
  series.known = {.first_ns = time_ns,
                  .newest_ns = time_ns,
                  .written_ns = file.mtime_ns,
                  .read_ns = file.mtime_ns};
  series.file = std::move(file);
  series.looked = false;
  series.gone = false;
  series.left = false;
}

std::optional<Sighting> Snapshots::take_memory_of(const std::string& path) {
  auto found = memory_of_.extract(path);
  if (!found) return std::nullopt;
  return std::move(found.mapped());
}

std::optional<NoteWriter> Snapshots::note_of(const Series& series) {
  const Sighting& seen = series.known.seen;
  if (seen.image.empty() || seen.meta.inode == 0) return std::nullopt;
  return NoteWriter{series.file.path, seen.meta, series.known.sure && seen.exact ? seen.image : ""};
}

void Snapshots::note(const Series& series) {
  if (auto note = note_of(series)) notes_.push_back(*std::move(note));
}

std::vector<NoteWriter> Snapshots::notes_of_the_living(bool none_left) const {
  std::vector<NoteWriter> notes;
  for (const auto& [_, series] : series_) {
    if (series.gone || (none_left && !series.left)) continue;
    if (auto note = note_of(series)) notes.push_back(*std::move(note));
  }
  return notes;
}

void Snapshots::know_memory(const Process& process, Sighting memory) {
  Series& series = series_.at(process);
  series.known.written_ns = written_ns(memory);
  series.known.read_ns = memory.at_ns;
  series.known.seen = std::move(memory);
  series.known.sure = true;
  if (series.start.by == 0) series.start.by = starts_.count();
  know_start(process, series.known.seen);
}

void Snapshots::know_writer(const Process& process, const Sighting& seen) {
  Series& series = series_.at(process);
  Standing& known = series.known;
  const bool none_started = none_started_since(seen.meta, known.written_ns);
  const auto before = ran_.find(process.first);
  series.gone = seen.image.empty();
  if (auto memory = take_memory_of(series.newest)) {
    know_memory(process, *std::move(memory));
  } else if (ran_at(seen, known.newest_ns)) {
    known.seen = seen;
    known.sure = true;
  } else if (before != ran_.end() && list_.end_ns < static_cast<std::int64_t>(known.newest_ns)) {
    const auto meta = metas_.find(process.second);
    Sighting earlier{.at_ns = list_.end_ns,
                     .image = before->second.image,
                     .exact = before->second.exact,
                     .starts = list_.starts};
    if (same_image(earlier, seen)) {
      known.seen = seen;
      known.sure = true;
    } else if (meta != metas_.end() && meta->second.inode != 0 && meta->second == seen.meta) {
      earlier.meta = seen.meta;  // none has started since that look
      known.sure = earlier.exact;
      known.seen = std::move(earlier);
    }
  }
  if (known.seen.image.empty() && none_started) known.seen = seen;
  know_start(process, seen);
  note(series);
}

std::optional<MonoTime> Snapshots::deadline() const {
  std::optional<MonoTime> earliest;
  const auto also = [&](MonoTime time) { earliest = std::min(earliest.value_or(time), time); };
  if (!restarted_.empty()) also(looks_from_);
  for (const Process& process : undecided_) also(*series_.at(process).undecided_until);
  if (news_ && !undecided_.empty()) also(decide_from_);
  return earliest;
}

std::optional<Snapshots::Request> Snapshots::next(MonoTime now) {
  decide_some(now);
  if (!notes_.empty()) {
    if (++noted_ > series_.size() + kMostOldNotes) {
      noted_ = 0;
      notes_.clear();
      for (const auto& [_, series] : series_) note(series);
      const std::deque<NoteWriter> all = std::exchange(notes_, {});
      return RewriteNotes{{all.begin(), all.end()}};
    }
    NoteWriter note = std::move(notes_.front());
    notes_.pop_front();
    return note;
  }
  while (!due_.empty()) {
    const auto found = series_.find(due_.front());
    due_.pop_front();
    if (found == series_.end()) continue;
    Series& series = found->second;
    series.due = false;
    if (series.asked) continue;  // its answer comes back to what waits
    if (!series.looked || series.look_again) {
      series.look_again = false;
      series.asked = true;
      ++out_;
      return LookAtWriter{series.file.path, series.left};
    }
    if (series.waiting.empty()) continue;
    if (undecided_.contains(found->first)) {
      if (auto look = next_look_ahead(series)) return *std::move(look);
      continue;
    }
    return next_fold(series);
  }
  return std::nullopt;
}

FoldSnapshot Snapshots::next_fold(Series& series) {
  series.asked = true;
  ++out_;
  const auto& [time_ns, next] = *series.waiting.begin();
  const auto memory = memory_of_.find(next.file.path);
  FoldSnapshot fold{series.file.path, next.file.path, series.known, {}, series.left, next.seen};
  fold.of = {.time_ns = time_ns,
             .written_ns = next.file.mtime_ns,
             .read_ns = next.file.mtime_ns,
             .memory = {}};
  if (memory != memory_of_.end()) {
    fold.of.written_ns = written_ns(memory->second);
    fold.of.read_ns = memory->second.at_ns;
    fold.of.memory = memory->second;
  }
  fold.one_image = std::exchange(series.one_image, false);
  fold.may_wait = !series.undecided_until && knows_last_look(series) && starts_.watching() &&
                  fold.of.memory.image.empty() && time_ns > series.known.newest_ns;
  return fold;
}

std::optional<Snapshots::Upload> Snapshots::on_looked(const WriterSeen& answer) {
  const Process process = process_of(answer.path);
  const auto found = series_.find(process);
  if (found == series_.end() || !found->second.asked) return std::nullopt;
  Series& series = found->second;
  series.asked = false;
  --out_;
  queue(process);
  Sighting seen = answer.seen;
  seen.starts = starts_.count();
  if (answer.path != series.file.path) {
    const auto waiting = series.waiting.find(coverage::parse_file_name(answer.path).time_ns);
    if (waiting != series.waiting.end()) waiting->second.seen = std::move(seen);
    return std::nullopt;
  }
  if (series.looked) {
    if (same_image(seen, series.known.seen)) {
      series.known.seen = seen;
      know_start(process, seen);
      note(series);
    } else {
      series.gone = true;
    }
    return std::nullopt;
  }
  series.looked = true;
  if (seen.until_ns > 0) {
    series.start.by = starts_.not_after(series.known.newest_ns, series.start.by);
  }
  know_writer(process, seen);
  if (series.start.by > 0) has_started(process, series.start.by);  // whichever image wrote it
  return Upload{series.file, series.known.newest_ns, series.newest};
}

std::optional<Snapshots::Upload> Snapshots::on_folded(const SnapshotFolded& answer, MonoTime now) {
  const Process process = process_of(answer.standing);
  const auto found = series_.find(process);
  if (found == series_.end() || !found->second.asked) return std::nullopt;
  Series& series = found->second;
  series.asked = false;
  --out_;
  Sighting seen = answer.seen;
  if (seen.starts == 0) seen.starts = starts_.count();
  const std::uint64_t time_ns = coverage::parse_file_name(answer.appeared).time_ns;
  if (answer.fold == Fold::undecided) {
    series.waiting[time_ns].seen = std::move(seen);
    series.undecided_until = now + kUndecided;
    undecided_.insert(process);
    news_ = true;
    queue(process);
    return std::nullopt;
  }
  series.undecided_until.reset();
  const auto [appeared, by, _] = series.waiting[time_ns];
  series.waiting.erase(time_ns);
  queue(process);

  const bool newer = time_ns > series.known.newest_ns;
  const bool wrote_it = !memory_of_.contains(appeared.path);
  Upload itself{appeared, time_ns, answer.appeared};
  switch (answer.fold) {
    case Fold::superseded:
    case Fold::vanished: take_memory_of(answer.appeared); return std::nullopt;
    case Fold::unreadable: return itself;
    case Fold::undecided:
    case Fold::kept:
      if (newer) {
        const bool left = series.left && same_image(series.known.seen, seen);
        notes_.push_back({series.file.path, {}, ""});
        const Start start = next_start(series, seen);
        if (answer.anew && wrote_it && seen.image.empty() && knows_last_look(series)) {
          starts_.known(process.second, series.known.seen.starts, by);  // it executed another one
          news_ = true;
        }
        begin(process, appeared, time_ns);
        series.start = start;
        if (start.by == 0 && wrote_it) series.start.by = by;
        series.looked = true;
        series.left = left;
        know_writer(process, seen);
      }
      return itself;
    case Fold::replaced:
    case Fold::unchanged: break;
  }
  series.known.newest_ns = std::max(series.known.newest_ns, time_ns);
  series.known.written_ns = series.known.read_ns = appeared.mtime_ns;
  series.gone = seen.image.empty();
  const bool was_sure = series.known.sure;
  Sighting& known = series.known.seen;
  if (auto memory = take_memory_of(answer.appeared)) {
    know_memory(process, *std::move(memory));
  }
  if (ran_at(seen, time_ns)) {
    known = seen;
    series.known.sure = true;
  } else if (seen.image == known.image && seen.exact == known.exact) {
    series.known.sure |= known.exact && known.at_ns < static_cast<std::int64_t>(time_ns);
    known = seen;
  }
  if (wrote_it) has_started(process, by);
  know_start(process, seen);
  if (series.known.sure && !was_sure) note(series);
  if (answer.fold == Fold::unchanged) return std::nullopt;
  series.file = answer.file;
  series.newest = answer.appeared;
  return Upload{series.file, series.known.newest_ns, series.newest};
}

}  // namespace integcov::supervise
