#include "app/coverage_folder.h"

#include <sys/wait.h>
#include <unistd.h>

#include <utility>
#include <variant>

#include "app/snapshot_files.h"
#include "process/boot_clock.h"
#include "supervise/report_lines.h"
#include "supervise/writer_notes.h"
#include "watch/folder.h"
#include "watch/run_folder.h"

namespace integcov::app {
namespace {

using Lock = watch::ControlFolder::Lock;
using Text = watch::ControlFolder::Text;
using supervise::LeftRunning;

bool uploads(const config::Config& config) {
  return !std::holds_alternative<std::monostate>(config.storage);
}

bool takes_snapshots(const config::Config& config) {
  return config.flush.mode != config::FlushMode::off;
}

// False while one of its processes goes on: what that writes there belongs to what is there.
bool fold_run(const std::string& folder, const watch::ControlFolder& control) {
  return fold_leftovers(folder, control.read(Text::writers)).empty();
}

// Of processes that go on the notes stay.
bool keep_notes(watch::ControlFolder& control, const std::vector<LeftRunning>& processes) {
  if (processes.empty()) return control.remove(Text::writers);
  std::string notes;
  for (const auto& [file, seen] : processes) {
    notes += supervise::writer_note({file.path, seen.meta, seen.image});
  }
  return control.begin(Text::writers, notes);
}

struct Settled {
  watch::Adopted adopted;
  std::vector<LeftRunning> left_running;
  watch::Watcher::Begun watch;  // as in CoverageFolder
  std::uint64_t watched_since = 0;
};

void wait_for_a_tick_after(std::uint64_t tick) {
  while (process::boot_tick() <= tick) usleep(1000);
}

// What was left is settled before files of other runs come beside it: the pids of two runs say
// nothing about each other.
Settled settle(const std::string& coverdir, watch::ControlFolder& control,
               const watch::BeforeTheMove& before_the_move, bool before_a_run) {
  Settled settled;
  if (const std::string notes = control.read(Text::writers); !notes.empty()) {
    if (before_a_run) settled.watch = watch::Watcher::begin(coverdir);
    settled.watched_since = process::boot_tick();
    settled.left_running = fold_leftovers(coverdir, notes);
    if (settled.left_running.empty()) settled.watch = {};
    if (settled.watch.queue) wait_for_a_tick_after(settled.watched_since);
    if (!keep_notes(control, settled.left_running)) return settled;
  }
  settled.adopted = watch::adopt_run_folders(coverdir, before_the_move);
  return settled;
}

// True if the program can leave coverage there; else that is said.
bool make_ready(const std::string& coverdir, StderrLog& log) {
  if (const auto made = watch::make_folder(coverdir); !made) {
    log.write(Severity::warning, made.message() + ": the program can't leave coverage there");
    return false;
  }
  if (access(coverdir.c_str(), W_OK | X_OK) == 0) return true;
  log.write(Severity::warning, "GOCOVERDIR=\"" + coverdir +
                                   "\" is not writable for this user: the program can't leave "
                                   "coverage there");
  return false;
}

// Without a folder for itself.
CoverageFolder share(CoverageFolder folder, const config::Config& config, const std::string& why,
                     StderrLog& log) {
  folder.shared = true;
  std::string consequence;
  if (uploads(config)) consequence = "files of other runs in it may be uploaded too";
  if (takes_snapshots(config)) {
    if (!consequence.empty()) consequence += ", and ";
    consequence += "no snapshots are taken of the running program";
  }
  if (!consequence.empty()) log.write(Severity::warning, why + ": " + consequence);
  return folder;
}

}  // namespace

CoverageFolder take_folder(const config::Config& config, const std::string& run, StderrLog& log) {
  const std::string& coverdir = config.coverdir;
  CoverageFolder folder{.path = coverdir, .writable = make_ready(coverdir, log)};
  watch::ControlFolder& control = folder.control.emplace(coverdir);
  switch (control.lock()) {
    case Lock::held: {
      Settled settled = settle(coverdir, control, fold_run, true);
      folder.ledgers = std::move(settled.adopted.ledgers);
      folder.left_running = std::move(settled.left_running);
      folder.watch = std::move(settled.watch);
      folder.watched_since = settled.watched_since;
      return folder;
    }
    case Lock::taken: break;
    case Lock::forbidden:
      return share(std::move(folder), config, coverdir + "/.integcov belongs to another user", log);
    case Lock::unavailable:
      folder.shared = true;
      if (!folder.writable) return folder;  // that was said
      return share(std::move(folder), config, "no lock can be had in " + coverdir + "/.integcov",
                   log);
  }
  auto own = watch::make_run_folder(coverdir, run);
  if (!own) {
    return share(std::move(folder), config,
                 "another go-integcov uses " + coverdir + ", and " + own.message(), log);
  }
  folder.path = std::move(own->path);
  folder.own = true;
  folder.writable = true;
  folder.control = std::move(own->control);
  log.write(Severity::info, "another go-integcov uses " + coverdir +
                                ": this run's coverage goes to " + folder.path);
  return folder;
}

void leave_folder(CoverageFolder folder, const config::Config& config, StderrLog& log) {
  const std::string& coverdir = config.coverdir;
  const bool all_ended = waitid(P_ALL, 0, nullptr, WEXITED | WNOHANG | WNOWAIT) != 0;
  if (folder.own && all_ended && folder.control) folder.control->note_end();
  const UniqueFd alone = watch::leave_alone(coverdir);
  if (folder.own || !folder.control) folder.control.emplace(coverdir);

  // If another one has the lock it goes on, and does this when it leaves.
  if (folder.control->lock() == Lock::held) {
    // A run that uploads says itself what went up.
    const auto uploaded_nothing = [](const std::string& path, const watch::ControlFolder& run) {
      return run.read(Text::ledger).empty() && fold_run(path, run);
    };
    const std::size_t moved =
        settle(coverdir, *folder.control, uploaded_nothing, false).adopted.moved;
    if (moved > 0 && !folder.own) {
      log.write(Severity::info, "what runs with a folder of their own left is in " + coverdir);
    }
  }
  folder.control.reset();  // before the next one may leave
  if (!folder.own || uploads(config)) return;
  const bool is_moved = access(folder.path.c_str(), F_OK) != 0;
  log.write(supervise::kept_line(is_moved ? coverdir : folder.path));
}

}  // namespace integcov::app
