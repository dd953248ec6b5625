#include "app/supervisor.h"

#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <exception>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "app/identity.h"
#include "app/processes.h"
#include "app/run_facts.h"
#include "process/identity.h"
#include "process/reaper.h"
#include "supervise/writer_notes.h"
#include "upload/ledger.h"
#include "watch/folder.h"

namespace integcov::app {
namespace {

using Text = watch::ControlFolder::Text;

// The start-up jitter: a fleet that starts at once writes one covmeta name.
constexpr Duration kLongestJitter = std::chrono::seconds(1);
// Of file times against the clock: the kernel's coarse clock, and network file systems.
constexpr Duration kClockSlack = std::chrono::seconds(2);
// Of the loop's time at once; it is looked at after each action.
constexpr Duration kLongestPump = std::chrono::milliseconds(20);
// Events, so that many file events at once don't stay in memory.
constexpr std::size_t kLargeInbox = 64;
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
                       CoverageFolder& folder, Child& child, const process::JobControl& job_control,
                       StderrLog& log)
    : plan_(plan),
      metadata_(std::move(metadata)),
      job_control_(job_control),
      log_(log),
      program_(std::move(child.program)),
      program_file_(std::move(child.file)),
      started_(child.started),
      child_(child.pid),
      earlier_(std::move(child.earlier)),
      destination_(config::to_string(plan.config.storage)),
      folder_(folder),
      recurse_(!plan.careless),
      memory_snapshots_(plan.config.coverdir, &clock_),
      timer_(loop_, [this] { pump(); }),
      lost_timer_(loop_,
                  [this] {
                    lost_ = false;
                    tell(supervise::EventsLost{});
                  }),
      signals_(loop_, [this](auto received) { on_signal(received); }),
      watcher_(loop_, plan.config.coverdir, recurse_,
               {.finished = [this](const std::string& path) { on_finished(path); },
                .made = [this](const std::string& path) { on_made(path); },
                .missed = [this] { tell(starts_watched()); },
                .lost = [this] { on_lost(); }}),
      look_timer_(loop_, [this] { watch_without_events(); }) {
  const config::Config& config = plan.config;
  const bool to_storage = !std::holds_alternative<std::monostate>(config.storage);
  const bool to_bucket = std::holds_alternative<config::GcsLocation>(config.storage);
  if (to_storage && plan.careless) {
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
          .flush = config.flush,
          .fail_on_upload_error = config.fail_on_upload_error,
          .parallel = parallel_uploads(),
          .between_versions = to_bucket ? upload::Queue::kBetweenVersions : Duration::zero(),
          .seed = seed,
          .start_ns = started_.time_since_epoch().count(),
          .run_start_ns = (started_ - kClockSlack).time_since_epoch().count(),
          .shared_folder = folder_.shared,
          .left_running = folder_.left_running,
          .watched_since =
              folder_.watch.queue ? std::optional(folder_.watched_since) : std::nullopt,
          .own_folder = folder_.own,
          .unwritable_folder = !folder_.writable},
      event::Loop::now());
  if (folder_.control && to_storage) read_ledger();
}

// Keeps of the ledger what is still there, also in another version: the storage has an older one.
void Supervisor::read_ledger() {
  std::vector<std::string> ledgers = std::move(folder_.ledgers);
  ledgers.push_back(folder_.control->read(Text::ledger));

  std::map<std::string, FileEntry> uploaded;
  for (const std::string& ledger : ledgers) {
    for (FileEntry& file : upload::parse_ledger(ledger, destination_)) {
      const auto now = watch::look_at(plan_.config.coverdir, file.path);
      if (!now) continue;
      FileEntry& known = uploaded[file.path];
      if (known != *now) known = std::move(file);
    }
  }
  std::string kept = upload::ledger_header(destination_);
  for (const auto& [_, file] : uploaded) {
    session_->already_uploaded(file);
    kept += upload::ledger_line(file);
  }
  folder_.control->begin(Text::ledger, kept);
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
  bool all_done = false;
  do {
    for (const supervise::Event& event : inbox_) session_->handle(event, now);
    inbox_.clear();
    if (inbox_.capacity() > kLargeInbox) inbox_.shrink_to_fit();
    auto action = session_->next_action(now);
    all_done = !action.has_value();
    if (action) std::visit([this](auto& a) { perform(a); }, *action);
    // What is done may be answered at once, and ask for more: others must get their turn.
  } while (!all_done && event::Loop::now() - now < kLongestPump);
  if (!all_done) {
    timer_.arm(Duration::zero());
  } else if (const auto deadline = session_->deadline()) {
    timer_.arm(*deadline - event::Loop::now());  // the pump may have taken long
  } else {
    timer_.disarm();
  }
  pumping_ = false;
}

void Supervisor::on_signal(process::SignalSource::Received received) {
  if (received.signal == SIGCHLD) return reap();
  supervise::SignalArrived signal{
      received.signal, event::Loop::wall_now().time_since_epoch().count(), received.flush_request};
  if (const auto number = session_->passes_on(signal)) {
    perform(supervise::ForwardSignal{*number});
    signal.passed_on = true;
  }
  tell(signal);
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

void Supervisor::on_made(const std::string& path) {
  const coverage::FileName name = coverage::parse_file_name(path);
  const bool covmeta = name.kind == coverage::FileKind::temporary && !name.hash.empty();
  if (covmeta && path.find('/') == std::string::npos) {
    tell(supervise::ImageStarting{
        name.hash,
        {process::boot_tick(), name.time_ns, static_cast<std::uint32_t>(process::last_pid())}});
  }
}

supervise::StartsWatched Supervisor::starts_watched() const {
  const auto last_pid = process::last_pid();
  return {.tick = process::boot_tick(),
          .at_ns = event::Loop::wall_now().time_since_epoch().count(),
          .last_pid = static_cast<std::uint32_t>(last_pid >= child_ ? last_pid : 0)};
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
  watcher_.watch("");
  auto listing = watch::list_folder(plan_.config.coverdir, recurse_);
  if (listing) {
    bool more_watched = false;
    for (const std::string& folder : listing->folders) {
      more_watched |= watcher_.watch(folder);
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
    listed.failed = true;
  }
  watcher_.catch_up();
  const MonoTime end = event::Loop::now();
  next_listing_ = end + 9 * (end - begin);
  listed.tick = process::boot_tick();
  inbox_.emplace_back(std::move(listed));
}

void Supervisor::tell_listing(const std::string& trouble) {
  if (std::exchange(told_listing_, true)) return;
  log_.write(Severity::warning, trouble + ": some files in it are not uploaded");
}

void Supervisor::perform(const supervise::OpenWatch&) {
  watcher_.open(std::move(folder_.watch));
  if (watcher_.works()) return;
  inbox_.emplace_back(supervise::StartsWatched{});
  look_timer_.arm(kLookInterval);
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
  if (!content && content.error().code == ENOENT) {
    inbox_.emplace_back(supervise::UploadFinished{id, upload::Vanished{}});
    return;
  }
  if (!content) {
    const int code = content.error().code;
    return fail(code == EMFILE || code == ENFILE, content.message());
  }
  try {
    attempts_[id] = backend().upload({.id = id,
                                      .file = std::move(action.file),
                                      .object = std::move(action.object),
                                      .replaces = action.replaces,
                                      .content = *std::move(content)},
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
  if (folder_.control) folder_.control->append(Text::ledger, upload::ledger_line(action.file));
}

void Supervisor::perform(const supervise::LookAtWriter& action) {
  inbox_.emplace_back(supervise::WriterSeen{
      action.path, look_at_writer(plan_.config.coverdir, action.path, writers(action.left))});
}

void Supervisor::perform(const supervise::FoldSnapshot& action) {
  inbox_.emplace_back(fold(plan_.config.coverdir, action, writers(action.left)));
}

void Supervisor::perform(const supervise::NoteWriter& action) {
  if (!folder_.control) return;
  if (!std::exchange(noted_, true)) folder_.control->begin(Text::writers, "");
  folder_.control->append(Text::writers, supervise::writer_note(action));
}

void Supervisor::perform(const supervise::RewriteNotes& action) {
  if (!folder_.control) return;
  if (action.notes.empty()) {
    folder_.control->remove(Text::writers);
    return;
  }
  std::string text;
  for (const supervise::NoteWriter& note : action.notes) text += supervise::writer_note(note);
  folder_.control->begin(Text::writers, text);
}

void Supervisor::perform(const supervise::FindProcesses& action) {
  watcher_.catch_up();  // each that isn't told by then has started later than those that are found
  supervise::ProcessesFound found = find_processes(plan_.config.coverdir, child_, action.hashes);
  std::set<pid_t> running;
  for (const auto& process : found.processes) running.insert(static_cast<pid_t>(process.pid));
  memory_snapshots_.keep_only(running);
  inbox_.emplace_back(std::move(found));
}

void Supervisor::perform(const supervise::SignalSnapshot& action) {
  inbox_.emplace_back(signal_snapshot(action, child_));
}

void Supervisor::perform(const supervise::ReadSnapshot& action) {
  using Result = supervise::SnapshotRead::Result;
  supervise::SnapshotRead answer{.pid = action.pid};
  // Whatever becomes of us then: the file is never there without its note.
  const Taken taken =
      memory_snapshots_.take(static_cast<pid_t>(action.pid), [this](const Written& file) {
        perform(supervise::NoteWriter{file.name, file.seen.meta, file.seen.image});
      });
  if (const auto* written = std::get_if<Written>(&taken)) {
    answer.result = Result::not_yet;
    if (auto file = watch::look_at(plan_.config.coverdir, written->name)) {
      answer.result = Result::written;
      answer.file = *std::move(file);
      answer.seen = written->seen;
    }
  } else if (const auto* failed = std::get_if<Failed>(&taken)) {
    answer.result = Result::failed;
    answer.why = failed->why;
  } else if (std::holds_alternative<Unchanged>(taken)) {
    answer.result = Result::unchanged;
  } else {
    answer.result = std::holds_alternative<NotYet>(taken) ? Result::not_yet : Result::nothing;
  }
  inbox_.emplace_back(std::move(answer));
  watcher_.catch_up();  // its start is told before anything else is done
}

void Supervisor::perform(const supervise::WriteStartRecord&) {
  // What the program has become by now, if it still runs: a shell may have executed it.
  if (auto now = process::open_program(child_)) program_file_ = *std::move(now);
  facts_ = run_facts(metadata_, started_, program_, program_file_ ? &*program_file_ : nullptr);
  program_file_.reset();
  write_record(supervise::start_record_name(facts_.run), supervise::start_record(facts_));
}

void Supervisor::perform(const supervise::WriteEndRecord& action) {
  write_record(supervise::end_record_name(facts_.run),
               supervise::end_record(facts_, action.end, event::Loop::wall_now()));
}

void Supervisor::write_record(const std::string& name, const std::string& record) {
  const Status written = watch::write_file(plan_.config.coverdir, name, record, 0600);
  if (!written) return log_.write(Severity::debug, written.message());
  on_finished(name);
}

void Supervisor::perform(const supervise::WriteLog& action) { log_.write(action.record); }

void Supervisor::perform(const supervise::Exit& action) {
  status_ = action.status;
  loop_.stop();
}

}  // namespace integcov::app
