#include "watch/run_folder.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "coverage/file_name.h"
#include "watch/control_folder.h"

namespace integcov::watch {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPrefix = "run-";

fs::path control_folder(const fs::path& folder) { return folder / coverage::kControlFolder; }

// Each entry that isn't there yet; a covmeta that is has the same content.
void move_up(const fs::path& from, const fs::path& to) {
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(from, error)) {
    const fs::path name = entry.path().filename();
    if (name == coverage::kControlFolder) continue;
    renameat2(AT_FDCWD, entry.path().c_str(), AT_FDCWD, (to / name).c_str(), RENAME_NOREPLACE);
  }
}

// Nothing but what is known to be elsewhere may be deleted.
bool holds_only_covmeta(const fs::path& folder) {
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    const auto kind = coverage::parse_file_name(name).kind;
    if (kind != coverage::FileKind::control && kind != coverage::FileKind::covmeta) return false;
  }
  return !error;
}

}  // namespace

Result<std::string> make_run_folder(const std::string& coverdir, const std::string& id) {
  const std::string path = (control_folder(coverdir) / (kPrefix + id)).string();
  if (mkdir(path.c_str(), 0700) != 0) {
    return Error{"cannot make the folder " + path + ": " + std::strerror(errno)};
  }
  return path;
}

std::vector<std::string> adopt_run_folders(const std::string& coverdir) {
  std::vector<std::string> ledgers;
  std::vector<fs::path> runs;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(control_folder(coverdir), error)) {
    const bool is_run = entry.path().filename().string().starts_with(kPrefix);
    if (is_run && entry.is_directory(error) && !entry.is_symlink(error)) {
      runs.push_back(entry.path());
    }
  }
  for (const fs::path& run : runs) {
    const ControlFolder control(run.string());
    if (control.lock() != ControlFolder::Lock::held) continue;  // it goes on
    ledgers.push_back(control.read_ledger());
    move_up(run, coverdir);
    if (holds_only_covmeta(run)) fs::remove_all(run, error);
  }
  return ledgers;
}

}  // namespace integcov::watch
