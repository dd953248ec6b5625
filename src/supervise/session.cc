#include "supervise/session.h"

#include <algorithm>
#include <csignal>
#include <utility>

namespace integcov::supervise {
namespace {

bool is_stop(int signal) { return signal == SIGTERM || signal == SIGINT; }

upload::Rank rank_of(coverage::FileKind kind) {
  switch (kind) {
    case coverage::FileKind::covmeta: return upload::Rank::covmeta;
    case coverage::FileKind::covcounters: return upload::Rank::counters;
    case coverage::FileKind::record: return upload::Rank::record;
    default: return upload::Rank::other;
  }
}

bool is_counters(const std::string& path) {
  return coverage::parse_file_name(path).kind == coverage::FileKind::covcounters;
}

// They would count a process once more with each.
SessionOptions without_snapshots_if_shared(SessionOptions options) {
  if (options.shared_folder) options.flush.mode = config::FlushMode::off;
  return options;
}

}  // namespace

Session::Session(SessionOptions options, MonoTime now)
    : options_(without_snapshots_if_shared(std::move(options))),
      budget_(options_.grace, options_.upload_timeout),
      ready_(options_.scope, options_.run_start_ns, options_.start_ns),
      queue_(options_.seed, options_.parallel, options_.between_versions),
      flush_(options_.flush, options_.seed) {
  queue_.hold_until(now + options_.jitter);
  // What was left may end while our program starts: then each of them is to be seen as it comes.
  open_watch_ = options_.left_running.empty() ? now + kBeforeTheWatch : now;
  if (options_.watched_since) snapshots_.starts().watched(*options_.watched_since);
  for (const LeftRunning& process : options_.left_running) snapshots_.left_running(process);
}

int Session::for_the_child(int signal) const {
  return signal == SIGTERM ? options_.stop_signal.value_or(signal) : signal;
}

std::optional<int> Session::passes_on(const SignalArrived& event) const {
  if (phase_ != Phase::running || event.flush_request) return std::nullopt;
  // Who runs is to be known before it writes its snapshot.
  if (event.signal == options_.flush.signal && ready_.covmeta_seen()) return std::nullopt;
  if (!outbox_.empty()) return std::nullopt;  // there may be one that came earlier
  return for_the_child(event.signal);
}

void Session::handle(const Event& event, MonoTime now) {
  if (phase_ == Phase::ended) return;
  std::visit([&](const auto& e) { on(e, now); }, event);
}

void Session::on(const SignalArrived& event, MonoTime now) {
  if (event.flush_request) {
    if (options_.flush.mode == config::FlushMode::off) {
      warn_once("off", "a snapshot was asked for, but none is taken: " +
                           std::string(options_.shared_folder
                                           ? options_.coverdir + " is not this run's alone"
                                           : "INTEGCOV_FLUSH is off"));
    }
    return flush_.requested(now, std::nullopt);
  }
  if (phase_ == Phase::running) {
    if (is_stop(event.signal)) {
      budget_.stop_requested(now);
      flush_.stop_requested(now, *budget_.stop_deadline());
      queue_.hold_until(now);
    }
    if (event.signal == options_.flush.signal) {
      flush_.requested(now, event.at_ns);
      add_flush_requests(now);
    }
    if (!event.passed_on) outbox_.emplace_back(ForwardSignal{for_the_child(event.signal)});
    if (is_stop(event.signal)) prepare(now);
    return;
  }
  if (is_stop(event.signal)) {
    budget_.stop_requested(now);
    queue_.finish_by(*budget_.deadline(), now);
    ++stops_while_draining_;
  }
  told_to_end_ |= event.signal == SIGQUIT || stops_while_draining_ >= 3;
}

void Session::prepare(MonoTime now) {
  const bool something = ready_.covmeta_seen() || !queue_.idle();
  if (!uploads() || !something || (prepared_ && now - *prepared_ < kPrepared)) return;
  const auto next_try = queue_.deadline();
  if (!queue_.running().empty() || (next_try && *next_try <= now)) return;  // these prepare all
  prepared_ = now;
  outbox_.emplace_back(Prepare{});
}

void Session::on(const DescendantsGone&, MonoTime) { descendants_gone_ = true; }

void Session::on(const FileFinished& event, MonoTime now) { saw(event.file, now); }

void Session::on(const EventsLost&, MonoTime) {
  events_lost_ = listing_;
  list_folder();
}

void Session::on(const ImageStarting& event, MonoTime) {
  snapshots_.starts().started(event.hash, event.start);
}

void Session::on(const StartsWatched& event, MonoTime) {
  if (!event.tick) return snapshots_.starts().unwatched();
  snapshots_.starts().watched(*event.tick);
  snapshots_.watched(event.at_ns, event.last_pid);
  watched_ns_ = event.at_ns;
}

void Session::on(const FolderListed& event, MonoTime now) {
  listing_ = false;
  listing_failed_ = event.failed;
  if (listed_without_descendants_) ++last_looks_;
  std::vector<FileEntry> files = event.files;  // the counters of a process in their order
  std::ranges::sort(files, {}, &FileEntry::path);
  // Where events don't come, or not all (gVisor, some mounts), starts may have been missed, too.
  const bool missed =
      std::ranges::any_of(files, [&](const FileEntry& file) { return untold(file); });
  if (missed) snapshots_.starts().missed(event.tick);
  for (const FileEntry& file : files) saw(file, now);
  if (events_lost_) list_folder();
}

void Session::on(const UploadFinished& event, MonoTime now) {
  const FileEntry* entry = queue_.file(event.id);
  if (entry == nullptr) return;
  const FileEntry file = *entry;
  const auto* failed = std::get_if<upload::Failed>(&event.outcome);
  look_again_ = true;  // sending it took time
  if (replacing_.erase(event.id) > 0 && record_.is_stored(file.path)) {
    may_replace_ |= std::holds_alternative<upload::Stored>(event.outcome);
  }
  const upload::Verdict verdict = queue_.finished(event.id, event.outcome, now);

  switch (verdict) {
    case upload::Verdict::stored: {
      outbox_.emplace_back(RecordUploaded{file});
      record_.stored(file.path);
      const auto& stored = std::get<upload::Stored>(event.outcome);
      log(Severity::debug, (stored.already_there ? "already there: " : "uploaded ") + file.path);
      if (!stored.note.empty()) warn_once(stored.note, stored.note);
      return;
    }
    case upload::Verdict::vanished:
      log(Severity::debug, "deleted before it was uploaded: " + file.path);
      return;
    case upload::Verdict::will_retry:
    case upload::Verdict::gave_up: break;
  }
  if (failed == nullptr) return;
  if (failed->may_not_replace && is_counters(file.path)) {
    return add_under_new_name(file, failed->reason);
  }
  log(Severity::debug, "upload of " + file.path + " failed: " + failed->reason);
  if (phase_ != Phase::running) return;  // the last line says what is left
  if (verdict == upload::Verdict::gave_up) {
    warn_once("gave up", "cannot upload to " + options_.storage + ": " + failed->reason);
  } else if (queue_.failures(event.id) == kWorthAWarning) {
    warn_once("retrying",
              "uploads to " + options_.storage + " keep failing, still trying: " + failed->reason);
  }
}

void Session::saw(const FileEntry& file, MonoTime now) {
  const auto ready = ready_.saw(file, stage());
  if (ready_.covmeta_seen()) saw_covmeta(file, now);
  if (!ready) return;
  const bool counters = ready->name.kind == coverage::FileKind::covcounters;
  if (counters) flush_.counters_written(ready->name.pid, ready->name.time_ns, now);
  const bool of_this_run =
      ready_.is_of_this_run(file, ready->name) || (counters && snapshots_.expects(ready->name));
  const bool on_top = file.path.find('/') == std::string::npos;
  if (counters && of_this_run && on_top && !options_.shared_folder) {
    return snapshots_.saw(*ready);
  }
  if (!uploads()) return;
  look_again_ = true;
  queue_.add(ready->file, rank_of(ready->name.kind), ready->name.time_ns, {}, ready->stored_before);
}

// A counters file that was written since the watch began, of which no event came.
bool Session::untold(const FileEntry& file) const {
  const coverage::FileName name = coverage::parse_file_name(file.path);
  return name.kind == coverage::FileKind::covcounters && !ready_.knows(file.path) &&
         static_cast<std::int64_t>(name.time_ns) > watched_ns_ &&
         file.path.find('/') == std::string::npos;
}

// At the start of each image of a program Go writes its covmeta anew.
void Session::saw_covmeta(const FileEntry& file, MonoTime now) {
  const coverage::FileName name = coverage::parse_file_name(file.path);
  if (name.kind != coverage::FileKind::covmeta || !ready_.is_of_this_run(file, name)) return;
  std::int64_t& written = covmeta_ns_[name.hash];
  if (std::exchange(written, file.mtime_ns) != file.mtime_ns) {
    snapshots_.image_started(name.hash);
    flush_.image_started();
  }
  if (phase_ == Phase::running) flush_.coverage_seen(now);
  if (!std::exchange(start_recorded_, true)) outbox_.emplace_back(WriteStartRecord{});
}

void Session::upload_counters(const Snapshots::Upload& upload) {
  const std::string& path = upload.file.path;
  ready_.changed(upload.file, stage());
  const std::string object = append_ ? upload.newest : path;
  record_.saw(path);
  if (!uploads()) return;
  look_again_ = true;
  counters_[path] = upload;
  if (object != path) flush_.lengthen();
  queue_.add(upload.file, upload::Rank::counters, upload.order, object,
             object == path && ready_.stored_before(path));
}

// Without the right to replace an object all snapshots of a process are kept.
void Session::add_under_new_name(const FileEntry& file, const std::string& reason) {
  append_ = true;
  warn_once(
      "append",
      "snapshots are added to " + options_.storage +
          " under new names, and `go tool covdata` counts a process once for each: the newest "
          "could not take the place of the one before (" +
          reason + ")");
  const auto known = counters_.find(file.path);
  if (known != counters_.end()) return upload_counters(Snapshots::Upload(known->second));
  // Of an earlier run, which was killed after a fold: the name that Go gave to its content is lost.
  const auto time_ns = static_cast<std::uint64_t>(file.mtime_ns);
  upload_counters({file, time_ns, coverage::with_time(file.path, time_ns)});
}

void Session::on(const WriterSeen& event, MonoTime) {
  if (const auto upload = snapshots_.on_looked(event)) upload_counters(*upload);
}

void Session::on(const SnapshotFolded& event, MonoTime now) {
  const auto upload = snapshots_.on_folded(event, now);
  switch (event.fold) {
    case Fold::replaced:
    case Fold::unchanged:
    case Fold::superseded:
    case Fold::vanished: ready_.removed(event.appeared); break;
    case Fold::kept:
    case Fold::unreadable:
    case Fold::undecided: break;
  }
  if (event.wrapped) {
    warn_once("wrapped", "a counter in " + event.standing +
                             " passed 4294967295 and began again at 0, as Go's 32-bit counters do");
  }
  if (upload) upload_counters(*upload);
}

void Session::on(const ProcessesFound& event, MonoTime now) {
  snapshots_.running(event);
  flush_.on(event, now);
}

void Session::on(const SnapshotSignalled& event, MonoTime now) { flush_.on(event, now); }

void Session::on(const SnapshotRead& event, MonoTime now) {
  if (event.result == SnapshotRead::Result::written) {
    snapshots_.read_from(event.file.path, event.seen);
    saw(event.file, now);
  }
  flush_.on(event, now);
}

coverage::ReadySet::Stage Session::stage() const {
  using Stage = coverage::ReadySet::Stage;
  if (phase_ == Phase::running) return Stage::running;
  if (last_looks_ == 0) return Stage::ending;
  return last_looks_ == 1 ? Stage::last_look : Stage::late;
}

void Session::list_folder() {
  if (listing_) return;
  listing_ = true;
  events_lost_ = false;
  look_again_ = false;
  outbox_.emplace_back(ListFolder{});
}

void Session::log(Severity severity, std::string message) {
  outbox_.emplace_back(WriteLog{{severity, std::move(message)}});
}

void Session::warn_once(const std::string& key, std::string message) {
  if (warned_.insert(key).second) log(Severity::warning, std::move(message));
}

void Session::add_flush_requests(MonoTime now) {
  if (!snapshots_.undecided()) {
    who_runs_ = kWhoRuns;
  } else if (!append_ && flush_.want(now + who_runs_)) {
    who_runs_ *= 2;
  }
  while (auto request = flush_.next(now)) {
    if (auto* find = std::get_if<FindProcesses>(&*request)) {
      for (const auto& [hash, _] : covmeta_ns_) find->hashes.push_back(hash);
    }
    outbox_.push_back(std::visit([](const auto& r) -> Action { return r; }, *request));
  }
  for (std::string& sentence : flush_.take_warnings()) log(Severity::warning, std::move(sentence));
}

std::optional<Action> Session::pop() {
  std::optional<Action> action;
  if (!outbox_.empty()) {
    action.emplace(std::move(outbox_.front()));
    outbox_.pop_front();
  }
  return action;
}

std::optional<Action> Session::next_action(MonoTime now) {
  if (!outbox_.empty()) return pop();
  if (phase_ == Phase::ended) return std::nullopt;
  snapshots_.look_again(now);
  if (const auto request = snapshots_.next(now)) {
    return std::visit([](const auto& r) -> Action { return r; }, *request);
  }
  if (phase_ == Phase::draining && (told_to_end_ || now >= *budget_.deadline())) {
    end(told_to_end_ ? "told to end at once by a signal" : "");
    return pop();
  }
  if (phase_ == Phase::draining && progress_due_ && now >= *progress_due_) {
    progress_due_.reset();
    log_progress(now);
    if (auto action = pop()) return action;
  }
  if (phase_ == Phase::running && open_watch_ && now >= *open_watch_) {
    open_watch_.reset();
    first_look_ = now + kFirstLook;
    outbox_.emplace_back(OpenWatch{});
    list_folder();  // what an earlier run left, too
    return pop();
  }
  if (phase_ == Phase::running && first_look_ && now >= *first_look_) {
    first_look_.reset();
    list_folder();
    if (auto action = pop()) return action;
  }
  if (phase_ == Phase::running) {
    add_flush_requests(now);
    if (auto action = pop()) return action;
  }
  if (auto job = queue_.next(now)) {
    if (job->replaces) replacing_.insert(job->id);
    if (counters_.contains(job->file.path)) {
      record_.sends(job->file.path, job->object.empty() ? job->file.path : job->object);
    }
    return StartUpload{job->id, std::move(job->file), std::move(job->object), job->replaces};
  }
  return phase_ == Phase::draining ? next_while_draining(now) : std::nullopt;
}

std::optional<MonoTime> Session::deadline() const {
  if (phase_ == Phase::ended) return std::nullopt;
  std::optional<MonoTime> earliest = queue_.deadline();
  const auto also = [&](MonoTime time) { earliest = std::min(earliest.value_or(time), time); };
  if (const auto snapshots = snapshots_.deadline()) also(*snapshots);
  if (phase_ == Phase::running) {
    if (open_watch_) also(*open_watch_);
    if (first_look_) also(*first_look_);
    if (const auto flush = flush_.deadline()) also(*flush);
  } else {
    also(*budget_.deadline());
    if (progress_due_) also(*progress_due_);
    if (!listed_without_descendants_ && !listing_) also(descendants_deadline_);
  }
  return earliest;
}

}  // namespace integcov::supervise
