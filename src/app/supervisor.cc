#include "app/supervisor.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <exception>
#include <utility>
#include <vector>

#include "app/identity.h"
#include "coverage/file_name.h"
#include "process/reaper.h"
#include "upload/ledger.h"
#include "watch/folder.h"

namespace integcov::app {
namespace {

// The start-up jitter: a fleet that starts at once writes one covmeta name.
constexpr Duration kLongestJitter = std::chrono::seconds(1);

// Each upload takes a file and a connection; the loop and stdio need some too.
std::size_t parallel_uploads() {
  constexpr rlim_t kReserved = 20;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
    return upload::Queue::kParallel;
  }
  const rlim_t spare = limit.rlim_cur > kReserved ? limit.rlim_cur - kReserved : 0;
  return std::clamp<std::size_t>(spare / 2, 1, upload::Queue::kParallel);
}

}  // namespace

Supervisor::Supervisor(const Plan& plan, std::map<std::string, std::string> metadata, pid_t child,
                       const process::JobControl& job_control, StderrLog& log)
    : plan_(plan),
      metadata_(std::move(metadata)),
      job_control_(job_control),
      log_(log),
      child_(child),
      own_pids_{child},
      started_(event::Loop::wall_now()),
      destination_(config::to_string(plan.config.storage)),
      scope_(plan.careless ? coverage::ReadySet::Scope::coverage_only
                           : coverage::ReadySet::Scope::everything),
      recurse_(!plan.careless),
      timer_(loop_, [this] { pump(); }),
      lost_timer_(loop_,
                  [this] {
                    lost_ = false;
                    tell(supervise::EventsLost{});
                  }),
      signals_(loop_, [this](int signal) { on_signal(signal); }),
      watcher_(loop_, plan.config.coverdir, recurse_,
               {.finished = [this](const std::string& path) { on_finished(path); },
                .created = [this](const std::string& path) { is_own(path); },
                .lost = [this] { on_lost(); }}) {
  const config::Config& config = plan.config;
  const bool to_bucket = std::holds_alternative<config::GcsLocation>(config.storage);
  if (!destination_.empty()) control_.emplace(config.coverdir);
  if (control_ && control_->lock() == watch::ControlFolder::Lock::taken) {
    scope_ = coverage::ReadySet::Scope::own_only;
    log_.write(Severity::info, "another go-integcov uses " + config.coverdir +
                                   ": only coverage of this run's own processes is uploaded");
  } else if (control_ && plan.careless) {
    log_.write(Severity::info, config.coverdir +
                                   " is a folder for other things too: only coverage files are "
                                   "uploaded from it");
  }

  const std::uint64_t seed = random_seed();
  session_.emplace(
      supervise::SessionOptions{
          .storage = destination_,
          .coverdir = config.coverdir,
          .scope = scope_,
          .grace = config.grace,
          .upload_timeout = config.upload_timeout,
          .jitter = to_bucket ? Duration(seed % static_cast<std::uint64_t>(kLongestJitter.count()))
                              : Duration::zero(),
          .stop_signal = config.stop_signal,
          .fail_on_upload_error = config.fail_on_upload_error,
          .parallel = parallel_uploads(),
          .seed = seed},
      event::Loop::now());
  if (control_) read_ledger();
}

// Keeps of the ledger what is still there unchanged.
void Supervisor::read_ledger() {
  std::string kept = upload::ledger_header(destination_);
  for (const FileEntry& file : upload::parse_ledger(control_->read_ledger(), destination_)) {
    const auto now = watch::look_at(plan_.config.coverdir, file.path);
    if (!now || *now != file) continue;
    session_->already_uploaded(file);
    kept += upload::ledger_line(file);
  }
  control_->write_ledger(kept);
}

int Supervisor::run() {
  reap();  // what ended before the loop could know
  loop_.run();
  return exit_code_;
}

void Supervisor::tell(supervise::Event event) {
  inbox_.push_back(std::move(event));
  pump();
}

// The one place where the session is asked: whoever calls while it runs only queues.
void Supervisor::pump() {
  if (std::exchange(pumping_, true)) return;
  const MonoTime now = event::Loop::now();
  while (true) {
    if (!inbox_.empty()) {
      const supervise::Event event = std::move(inbox_.front());
      inbox_.pop_front();
      session_->handle(event, now);
    } else if (auto action = session_->next_action(now)) {
      std::visit([this](auto& a) { perform(a); }, *action);
    } else {
      break;
    }
  }
  if (const auto deadline = session_->deadline()) {
    timer_.arm(*deadline - event::Loop::now());  // the pump may have taken long
  } else {
    timer_.disarm();
  }
  pumping_ = false;
}

void Supervisor::on_signal(int signal) {
  if (signal == SIGCHLD) {
    reap();
  } else {
    tell(supervise::SignalArrived{signal});
  }
}

void Supervisor::reap() {
  const process::Reaped reaped = process::reap(child_);
  if (scope_ == coverage::ReadySet::Scope::own_only) {
    own_pids_.insert(reaped.ended.begin(), reaped.ended.end());
  }
  if (reaped.main_stopped) job_control_.child_stopped(child_, *reaped.main_stopped);
  if (reaped.none_left) inbox_.emplace_back(supervise::DescendantsGone{});
  if (reaped.main) {
    job_control_.child_gone(std::exchange(child_, kGone));
    inbox_.emplace_back(supervise::ChildExited{*reaped.main});
  }
  pump();
}

void Supervisor::on_finished(const std::string& path) {
  const bool own = is_own(path);
  if (auto file = watch::look_at(plan_.config.coverdir, path)) {
    tell(supervise::FileFinished{{*std::move(file), own}});
  }
}

// A program that unpacks a tree of folders must not have us list it after each of them.
void Supervisor::on_lost() {
  if (!std::exchange(lost_, true)) lost_timer_.arm(next_listing_ - event::Loop::now());
}

// Only asked for counters when another supervisor holds the folder. A process is known for good
// once it was seen: at its tmp.covcounters file it is still alive.
bool Supervisor::is_own(const std::string& path) {
  if (scope_ != coverage::ReadySet::Scope::own_only) return true;
  std::string_view name = std::string_view(path).substr(path.rfind('/') + 1);
  if (name.starts_with("tmp.")) name.remove_prefix(4);
  const auto parsed = coverage::parse_file_name(name);
  if (parsed.kind != coverage::FileKind::covcounters) return false;
  const auto started_ns = static_cast<std::uint64_t>(started_.time_since_epoch().count());
  if (parsed.time_ns < started_ns) return false;  // of an earlier run, pids repeat
  const auto pid = static_cast<pid_t>(parsed.pid);
  if (!own_pids_.contains(pid) && process::descends_from(pid, getpid())) own_pids_.insert(pid);
  return own_pids_.contains(pid);
}

void Supervisor::perform(const supervise::ForwardSignal& action) {
  if (child_ != kGone) job_control_.forward(action.signal, child_);
}

void Supervisor::perform(const supervise::ListFolder&) {
  supervise::FolderListed listed;
  const MonoTime begin = event::Loop::now();
  watcher_.watch("");
  auto listing = watch::list_folder(plan_.config.coverdir, recurse_);
  if (listing) {
    bool more_watched = false;
    for (const std::string& folder : listing->folders) more_watched |= watcher_.watch(folder);
    if (more_watched) on_lost();  // made in between: only a second look sees it
    if (!listing->complete && !std::exchange(told_incomplete_, true)) {
      log_.write(Severity::warning, "GOCOVERDIR=\"" + plan_.config.coverdir +
                                        "\" holds folders that cannot be read, or too much: some "
                                        "files in it are not uploaded");
    }
    for (FileEntry& file : listing->files) {
      const bool own = is_own(file.path);
      listed.files.push_back({std::move(file), own});
    }
  } else {
    log_.write(Severity::debug, listing.message());
  }
  const MonoTime end = event::Loop::now();
  next_listing_ = end + 9 * (end - begin);
  inbox_.emplace_back(std::move(listed));
}

void Supervisor::perform(const supervise::CloseWatch&) { watcher_.close(); }

storage::Backend& Supervisor::backend() {
  if (!storage_) storage_.emplace(loop_, plan_, metadata_);
  return storage_->backend();
}

void Supervisor::perform(supervise::StartUpload& action) {
  const upload::UploadId id = action.id;
  const auto fail = [&](bool retryable, std::string reason) {
    inbox_.emplace_back(supervise::UploadFinished{
        id, upload::Failed{.retryable = retryable, .reason = std::move(reason)}});
  };
  auto content = watch::open_below(plan_.config.coverdir, action.file.path);
  if (!content) return fail(false, content.message());
  try {
    attempts_[id] = backend().upload({id, std::move(action.file), *std::move(content)},
                                     [this, id](upload::Outcome outcome) {
                                       attempts_.erase(id);
                                       tell(supervise::UploadFinished{id, std::move(outcome)});
                                     });
  } catch (const std::exception& error) {
    fail(true, error.what());
  }
}

void Supervisor::perform(const supervise::AbortUpload& action) { attempts_.erase(action.id); }

void Supervisor::perform(const supervise::Prepare&) {
  try {
    backend().prepare();
  } catch (const std::exception& error) {
    log_.write(Severity::debug, error.what());  // the uploads will say so
  }
}

void Supervisor::perform(const supervise::RecordUploaded& action) {
  control_->append_to_ledger(upload::ledger_line(action.file));
}

void Supervisor::perform(const supervise::WriteLog& action) { log_.write(action.record); }

void Supervisor::perform(const supervise::Exit& action) {
  exit_code_ = action.code;
  loop_.stop();
}

}  // namespace integcov::app
