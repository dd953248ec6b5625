#include "app/coverage_folder.h"

#include <unistd.h>

#include <utility>
#include <variant>

#include "app/snapshot_files.h"
#include "watch/run_folder.h"

namespace integcov::app {
namespace {

using Lock = watch::ControlFolder::Lock;
using Text = watch::ControlFolder::Text;

bool uploads(const config::Config& config) {
  return !std::holds_alternative<std::monostate>(config.storage);
}

bool takes_snapshots(const config::Config& config) {
  return config.flush.mode != config::FlushMode::off;
}

void fold_run(const std::string& folder, const watch::ControlFolder& control) {
  fold_leftovers(folder, control.read(Text::writers));
}

// What was left is settled before files of other runs come beside it: the pids of two runs say
// nothing about each other.
std::vector<std::string> settle(const std::string& coverdir, watch::ControlFolder& control) {
  if (const std::string notes = control.read(Text::writers); !notes.empty()) {
    fold_leftovers(coverdir, notes);
    control.begin(Text::writers, "");
  }
  return watch::adopt_run_folders(coverdir, fold_run);
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
  log.write(Severity::warning, why + ": " + consequence);
  return folder;
}

}  // namespace

CoverageFolder take_folder(const config::Config& config, const std::string& run, StderrLog& log) {
  const std::string& coverdir = config.coverdir;
  CoverageFolder folder{.path = coverdir, .control = {}, .ledgers = {}};
  if (!uploads(config) && !takes_snapshots(config)) {
    folder.shared = true;
    return folder;
  }
  watch::ControlFolder& control = folder.control.emplace(coverdir);
  switch (control.lock()) {
    case Lock::held: folder.ledgers = settle(coverdir, control); return folder;
    case Lock::taken: break;
    case Lock::forbidden:
      return share(std::move(folder), config, coverdir + "/.integcov belongs to another user", log);
    case Lock::unavailable: {
      // Where the program can't write either, that was said.
      folder.shared = true;
      const bool writable = access(coverdir.c_str(), W_OK | X_OK) == 0;
      if (!writable || !takes_snapshots(config)) return folder;
      return share(std::move(folder), config, "no lock can be had in " + coverdir + "/.integcov",
                   log);
    }
  }
  auto own = watch::make_run_folder(coverdir, run);
  if (!own) {
    return share(std::move(folder), config,
                 "another go-integcov uses " + coverdir + ", and " + own.message(), log);
  }
  log.write(Severity::info,
            "another go-integcov uses " + coverdir + ": this run's coverage goes to " + *own);
  folder.path = *std::move(own);
  folder.own = true;
  folder.control.emplace(folder.path);
  return folder;
}

void gather_runs(const std::string& coverdir, StderrLog& log) {
  const watch::ControlFolder control(coverdir);
  if (control.lock() != Lock::held) return;
  const std::size_t moved = watch::adopt_run_folders(coverdir, fold_run).size();
  if (moved > 0) {
    log.write(Severity::info,
              "the coverage of runs that had a folder of their own is in " + coverdir + " now");
  }
}

}  // namespace integcov::app
