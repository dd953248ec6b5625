// How a session ends: from the child's exit on, until everything is in storage or the time is over.
#include <algorithm>
#include <utility>

#include "supervise/report_lines.h"
#include "supervise/session.h"

namespace integcov::supervise {
namespace {

bool is_for_the_child(const Action& action) {
  return std::holds_alternative<ForwardSignal>(action) ||
         std::holds_alternative<FindProcesses>(action) ||
         std::holds_alternative<SignalSnapshot>(action) ||
         std::holds_alternative<ReadSnapshot>(action);
}

}  // namespace

void Session::on(const ChildExited& event, MonoTime now) {
  phase_ = Phase::draining;
  child_status_ = event.status;
  std::erase_if(outbox_, is_for_the_child);
  budget_.child_exited(now);
  flush_.end();
  descendants_deadline_ = now + kDescendantsWait;
  if (uploads()) progress_due_ = now + kWorthALine;
  queue_.hurry(now, *budget_.deadline());
  if (!descendants_gone_) list_folder();
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

std::optional<Action> Session::next_while_draining(MonoTime now) {
  if (listing_ || snapshots_.busy() || awaits_descendants(now)) return std::nullopt;
  if (!listed_without_descendants_) {
    listed_without_descendants_ = true;
    list_folder();
    return pop();
  }
  if (snapshots_.undecided()) {  // nobody is left to find out more about
    snapshots_.decide();
    return next_action(now);
  }
  if (!watch_closed_) {
    watch_closed_ = true;
    snapshots_.starts().unwatched();
    return CloseWatch{};
  }
  // What it names is in storage, or on the way there under that name.
  const bool names_known = may_replace_ || replacing_.empty();
  if (!end_recorded_ && names_known && !queue_.waiting(upload::Rank::counters)) {
    write_end_record();
    if (auto action = pop()) return action;
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

void Session::write_end_record() {
  end_recorded_ = true;
  if (start_recorded_) {
    outbox_.emplace_back(WriteEndRecord{record_.end(child_status_, flush_.method())});
  }
}

void Session::end(const std::string& why_unsaved) {
  phase_ = Phase::ended;
  if (!end_recorded_) write_end_record();
  for (const Snapshots::Upload& upload : snapshots_.left_undecided()) upload_counters(upload);
  // What was judged needs no judgement by notes, but for what is yet to come. Else the next run has
  // to.
  if (!snapshots_.busy() && !snapshots_.undecided()) {
    outbox_.emplace_back(RewriteNotes{snapshots_.notes_of_the_living(descendants_gone_)});
  }
  for (const upload::UploadId id : queue_.running()) outbox_.emplace_back(AbortUpload{id});

  const auto unsaved = queue_.unsaved();
  const auto say = [&](LogRecord record) { outbox_.emplace_back(WriteLog{std::move(record)}); };
  if (!ready_.covmeta_seen()) {
    if (!options_.unwritable_folder && !listing_failed_) say(no_coverage_line(options_.coverdir));
  } else if (!ready_.counters_seen()) {
    say(no_counters_line(options_.coverdir));
  }
  if (uploads() && ready_.covmeta_seen() && !descendants_gone_) {
    say(still_running_line(options_.coverdir));
  }
  if (!unsaved.empty()) {
    say(unsaved_line(unsaved, queue_.totals(), options_.storage, options_.coverdir, why_unsaved));
  } else if (!uploads()) {
    if (ready_.covmeta_seen() && !options_.own_folder) say(kept_line(options_.coverdir));
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
