#include "supervise/session.h"

#include <algorithm>
#include <csignal>
#include <utility>

#include "supervise/report_lines.h"

namespace integcov::supervise {
namespace {

bool is_stop(int signal) { return signal == SIGTERM || signal == SIGINT; }

upload::Rank rank_of(coverage::FileKind kind) {
  switch (kind) {
    case coverage::FileKind::covmeta: return upload::Rank::covmeta;
    case coverage::FileKind::covcounters: return upload::Rank::counters;
    default: return upload::Rank::other;
  }
}

}  // namespace

Session::Session(SessionOptions options, MonoTime now)
    : options_(std::move(options)),
      budget_(options_.grace, options_.upload_timeout),
      ready_(options_.scope, options_.run_start_ns),
      queue_(options_.seed, options_.parallel) {
  if (!uploads()) return;
  queue_.hold_until(now + options_.jitter);
  first_look_ = now + kFirstLook;
  list_folder();  // what an earlier run left
}

void Session::handle(const Event& event, MonoTime now) {
  if (phase_ == Phase::ended) return;
  std::visit([&](const auto& e) { on(e, now); }, event);
}

void Session::on(const SignalArrived& event, MonoTime now) {
  if (phase_ == Phase::running) {
    if (is_stop(event.signal)) {
      budget_.stop_requested(now);
      queue_.hold_until(now);
    }
    const bool rewrite = event.signal == SIGTERM && options_.stop_signal.has_value();
    outbox_.emplace_back(ForwardSignal{rewrite ? *options_.stop_signal : event.signal});
    if (is_stop(event.signal)) prepare(now);
    return;
  }
  if (is_stop(event.signal)) {
    budget_.stop_requested(now);
    queue_.finish_by(*budget_.deadline(), now);
    ++stops_while_draining_;
  }
  if (event.signal == SIGQUIT || stops_while_draining_ >= 3) end("told to end at once by a signal");
}

void Session::prepare(MonoTime now) {
  const bool something = ready_.covmeta_seen() || !queue_.idle();
  if (!uploads() || !something || (prepared_ && now - *prepared_ < kPrepared)) return;
  const auto next_try = queue_.deadline();
  if (!queue_.running().empty() || (next_try && *next_try <= now)) return;  // these prepare all
  prepared_ = now;
  outbox_.emplace_back(Prepare{});
}

void Session::on(const ChildExited& event, MonoTime now) {
  phase_ = Phase::draining;
  child_status_ = event.status;
  std::erase_if(outbox_, [](const Action& a) { return std::holds_alternative<ForwardSignal>(a); });
  budget_.child_exited(now);
  descendants_deadline_ = now + kDescendantsWait;
  if (uploads()) progress_due_ = now + kWorthALine;
  queue_.hurry(now, *budget_.deadline());
  if (uploads() && !descendants_gone_) list_folder();
}

void Session::on(const DescendantsGone&, MonoTime) { descendants_gone_ = true; }

void Session::on(const FileFinished& event, MonoTime) {
  if (uploads()) saw(event.file);
}

void Session::on(const EventsLost&, MonoTime) {
  if (!uploads()) return;
  events_lost_ = listing_;
  list_folder();
}

void Session::on(const FolderListed& event, MonoTime) {
  listing_ = false;
  if (listed_without_descendants_) ++last_looks_;
  for (const FileEntry& file : event.files) saw(file);
  if (events_lost_) list_folder();
}

void Session::on(const UploadFinished& event, MonoTime now) {
  const FileEntry* entry = queue_.file(event.id);
  if (entry == nullptr) return;
  const FileEntry file = *entry;
  look_again_ = true;  // sending it took time
  const upload::Verdict verdict = queue_.finished(event.id, event.outcome, now);

  switch (verdict) {
    case upload::Verdict::stored: {
      outbox_.emplace_back(RecordUploaded{file});
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
  const auto* failed = std::get_if<upload::Failed>(&event.outcome);
  if (failed == nullptr) return;
  log(Severity::debug, "upload of " + file.path + " failed: " + failed->reason);
  if (phase_ != Phase::running) return;  // the last line says what is left
  if (verdict == upload::Verdict::gave_up) {
    warn_once("gave up", "cannot upload to " + options_.storage + ": " + failed->reason);
  } else if (queue_.failures(event.id) == kWorthAWarning) {
    warn_once("retrying",
              "uploads to " + options_.storage + " keep failing, still trying: " + failed->reason);
  }
}

void Session::saw(const FileEntry& file) {
  const auto ready = ready_.saw(file, stage());
  if (!ready || !uploads()) return;
  look_again_ = true;
  queue_.add(ready->file, rank_of(ready->name.kind), ready->name.time_ns);
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

void Session::log_progress(MonoTime now) {
  const auto left = std::chrono::ceil<std::chrono::seconds>(*budget_.deadline() - now);
  log(Severity::info, progress_line(queue_.unsaved().size(), options_.storage, left));
}

bool Session::awaits_descendants(MonoTime now) const {
  return uploads() && !descendants_gone_ && ready_.covmeta_seen() && now < descendants_deadline_;
}

// No try is under way, and none can begin before the deadline.
bool Session::out_of_time() const {
  const auto next_try = queue_.deadline();
  return next_try && *next_try >= *budget_.deadline() && queue_.running().empty();
}

std::optional<Action> Session::pop() {
  if (outbox_.empty()) return std::nullopt;
  Action action = std::move(outbox_.front());
  outbox_.pop_front();
  return action;
}

std::optional<Action> Session::next_action(MonoTime now) {
  if (auto action = pop()) return action;
  if (phase_ == Phase::ended) return std::nullopt;
  if (phase_ == Phase::draining && now >= *budget_.deadline()) {
    end("");
    return pop();
  }
  if (phase_ == Phase::draining && progress_due_ && now >= *progress_due_) {
    progress_due_.reset();
    log_progress(now);
    if (auto action = pop()) return action;
  }
  if (phase_ == Phase::running && first_look_ && now >= *first_look_) {
    first_look_.reset();
    list_folder();
    if (auto action = pop()) return action;
  }
  if (auto job = queue_.next(now)) return StartUpload{job->id, std::move(job->file)};
  return phase_ == Phase::draining ? next_while_draining(now) : std::nullopt;
}

std::optional<Action> Session::next_while_draining(MonoTime now) {
  if (listing_ || awaits_descendants(now)) return std::nullopt;
  if (!listed_without_descendants_) {
    listed_without_descendants_ = true;
    list_folder();
    return pop();
  }
  if (!watch_closed_) {
    watch_closed_ = true;
    return CloseWatch{};
  }
  // Permanent failures don't keep us; what is new since the last look does.
  if (!queue_.idle() && !out_of_time()) return std::nullopt;
  if (look_again_) {
    list_folder();
  } else {
    end("");
  }
  return pop();
}

std::optional<MonoTime> Session::deadline() const {
  if (phase_ == Phase::ended) return std::nullopt;
  std::optional<MonoTime> earliest = queue_.deadline();
  const auto also = [&](MonoTime time) { earliest = std::min(earliest.value_or(time), time); };
  if (phase_ == Phase::running) {
    if (first_look_) also(*first_look_);
  } else {
    also(*budget_.deadline());
    if (progress_due_) also(*progress_due_);
    if (!listed_without_descendants_ && !listing_) also(descendants_deadline_);
  }
  return earliest;
}

void Session::end(const std::string& why_unsaved) {
  phase_ = Phase::ended;
  for (const upload::UploadId id : queue_.running()) outbox_.emplace_back(AbortUpload{id});

  const auto unsaved = queue_.unsaved();
  const auto say = [&](LogRecord record) { outbox_.emplace_back(WriteLog{std::move(record)}); };
  if (!ready_.covmeta_seen()) {
    say(no_coverage_line(options_.coverdir));
  } else if (!ready_.counters_seen()) {
    say(no_counters_line(options_.coverdir));
  }
  if (uploads() && ready_.covmeta_seen() && !descendants_gone_) {
    say(still_running_line(options_.coverdir));
  }
  if (!unsaved.empty()) {
    say(unsaved_line(unsaved, queue_.totals(), options_.storage, options_.coverdir, why_unsaved));
  } else if (!uploads()) {
    if (ready_.covmeta_seen()) say(kept_line(options_.coverdir));
  } else if (queue_.totals().stored > 0) {
    say(uploaded_line(queue_.totals(), options_.storage));
  }

  ExitStatus status = child_status_;
  if (status.shell_code() == 0 && options_.fail_on_upload_error && !unsaved.empty()) {
    status = ExitStatus::exited(kExitOwnError);
  }
  outbox_.emplace_back(Exit{status});
}

}  // namespace integcov::supervise
