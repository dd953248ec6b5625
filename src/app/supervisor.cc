#include "app/supervisor.h"

#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <exception>
#include <utility>
#include <vector>

#include "app/identity.h"
#include "process/reaper.h"
#include "upload/ledger.h"
#include "watch/folder.h"
#include "watch/run_folder.h"

namespace integcov::app {
namespace {

// The start-up jitter: a fleet that starts at once writes one covmeta name.
constexpr Duration kLongestJitter = std::chrono::seconds(1);
// Of file times against the clock: the kernel's coarse clock, and network file systems.
constexpr Duration kClockSlack = std::chrono::seconds(2);
// Between two listings where there are no file events.
constexpr Duration kLookInterval = std::chrono::seconds(10);

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

Supervisor::Supervisor(const Plan& plan, std::map<std::string, std::string> metadata,
                       std::optional<watch::ControlFolder> control, WallTime started, pid_t child,
                       std::vector<pid_t> earlier, const process::JobControl& job_control,
                       StderrLog& log)
    : plan_(plan),
      metadata_(std::move(metadata)),
      job_control_(job_control),
      log_(log),
      child_(child),
      earlier_(std::move(earlier)),
      destination_(config::to_string(plan.config.storage)),
      control_(std::move(control)),
      recurse_(!plan.careless),
      timer_(loop_, [this] { pump(); }),
      lost_timer_(loop_,
                  [this] {
                    lost_ = false;
                    tell(supervise::EventsLost{});
                  }),
      signals_(loop_, [this](int signal) { on_signal(signal); }),
      look_timer_(loop_, [this] { watch_without_events(); }) {
  const config::Config& config = plan.config;
  if (!destination_.empty()) {
    watcher_.emplace(loop_, config.coverdir, recurse_,
                     watch::Watcher::Callbacks{
                         .finished = [this](const std::string& path) { on_finished(path); },
                         .lost = [this] { on_lost(); }});
    if (!watcher_->works()) look_timer_.arm(kLookInterval);
  }
  const bool to_bucket = std::holds_alternative<config::GcsLocation>(config.storage);
  if (control_ && plan.careless) {
    log_.write(Severity::info, config.coverdir +
                                   " is a folder for other things too: only coverage files are "
                                   "uploaded from it");
  }

  using Scope = coverage::ReadySet::Scope;
  const std::uint64_t seed = random_seed();
  session_.emplace(
      supervise::SessionOptions{
          .storage = destination_,
          .coverdir = config.coverdir,
          .scope = plan.careless ? Scope::coverage_only : Scope::everything,
          .grace = config.grace,
          .upload_timeout = config.upload_timeout,
          .jitter = to_bucket ? Duration(seed % static_cast<std::uint64_t>(kLongestJitter.count()))
                              : Duration::zero(),
          .stop_signal = config.stop_signal,
          .fail_on_upload_error = config.fail_on_upload_error,
          .parallel = parallel_uploads(),
          .seed = seed,
          .run_start_ns = (started - kClockSlack).time_since_epoch().count()},
      event::Loop::now());
  if (control_) read_ledger();
}

// Keeps of the ledger what is still there unchanged.
void Supervisor::read_ledger() {
  std::vector<std::string> ledgers;
  if (control_->lock() == watch::ControlFolder::Lock::held) {
    ledgers = watch::adopt_run_folders(plan_.config.coverdir);
  }
  ledgers.push_back(control_->read_ledger());

  std::string kept = upload::ledger_header(destination_);
  for (const std::string& ledger : ledgers) {
    for (const FileEntry& file : upload::parse_ledger(ledger, destination_)) {
      const auto now = watch::look_at(plan_.config.coverdir, file.path);
      if (!now || *now != file) continue;
      session_->already_uploaded(file);
      kept += upload::ledger_line(file);
    }
  }
  control_->write_ledger(kept);
}

ExitStatus Supervisor::run() {
  reap();  // what ended before the loop could know
  loop_.run();
  return status_;
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
  const process::Reaped reaped = process::reap(child_, earlier_);
  if (reaped.main_stopped) job_control_.child_stopped(child_, *reaped.main_stopped);
  if (reaped.none_left) inbox_.emplace_back(supervise::DescendantsGone{});
  if (reaped.main) {
    job_control_.child_gone(std::exchange(child_, kGone));
    inbox_.emplace_back(supervise::ChildExited{*reaped.main});
  }
  pump();
}

void Supervisor::on_finished(const std::string& path) {
  if (auto file = watch::look_at(plan_.config.coverdir, path)) {
    tell(supervise::FileFinished{*std::move(file)});
  }
}

// A program that unpacks a tree of folders must not have us list it after each of them.
void Supervisor::on_lost() {
  if (!std::exchange(lost_, true)) lost_timer_.arm(next_listing_ - event::Loop::now());
}

// The one exception to "no polling": a sandbox that refuses inotify.
void Supervisor::watch_without_events() {
  tell(supervise::EventsLost{});
  look_timer_.arm(kLookInterval);
}

void Supervisor::perform(const supervise::ForwardSignal& action) {
  if (child_ != kGone) job_control_.forward(action.signal, child_);
}

void Supervisor::perform(const supervise::ListFolder&) {
  supervise::FolderListed listed;
  const MonoTime begin = event::Loop::now();
  if (watcher_) watcher_->watch("");
  auto listing = watch::list_folder(plan_.config.coverdir, recurse_);
  if (listing) {
    bool more_watched = false;
    for (const std::string& folder : listing->folders) {
      if (watcher_) more_watched |= watcher_->watch(folder);
    }
    if (more_watched) on_lost();  // made in between: only a second look sees it
    if (!listing->complete)
      tell_listing("GOCOVERDIR=\"" + plan_.config.coverdir +
                   "\" holds folders that cannot be read, or too much");
    listed.files = std::move(listing->files);
  } else if (listing.error().code == ENOENT) {
    log_.write(Severity::debug, listing.message());
  } else {
    tell_listing(listing.message());
  }
  const MonoTime end = event::Loop::now();
  next_listing_ = end + 9 * (end - begin);
  inbox_.emplace_back(std::move(listed));
}

void Supervisor::tell_listing(const std::string& trouble) {
  if (std::exchange(told_listing_, true)) return;
  log_.write(Severity::warning, trouble + ": some files in it are not uploaded");
}

void Supervisor::perform(const supervise::CloseWatch&) {
  if (watcher_) watcher_->close();
}

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
  if (!content && content.error().code == ENOENT) {
    inbox_.emplace_back(supervise::UploadFinished{id, upload::Vanished{}});
    return;
  }
  if (!content) {
    const int code = content.error().code;
    return fail(code == EMFILE || code == ENFILE, content.message());
  }
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
  if (control_) control_->append_to_ledger(upload::ledger_line(action.file));
}

void Supervisor::perform(const supervise::WriteLog& action) { log_.write(action.record); }

void Supervisor::perform(const supervise::Exit& action) {
  status_ = action.status;
  loop_.stop();
}

}  // namespace integcov::app
