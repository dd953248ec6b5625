#include "watch/run_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <string_view>

#include "base/path.h"
#include "base/unique_fd.h"
#include "coverage/file_name.h"
#include "watch/entries.h"

namespace integcov::watch {
namespace {

constexpr std::string_view kPrefix = "run-";
constexpr const char* kControl = coverage::kControlFolder.data();

std::string control_folder(const std::string& coverdir) { return join_path(coverdir, kControl); }

// Each entry that isn't there yet; a covmeta that is has the same content.
std::size_t move_up(Entries from, int to) {
  std::size_t moved = 0;
  while (const auto entry = from.next()) {
    if (entry->name == coverage::kControlFolder) continue;
    if (renameat2(from.folder(), entry->name, to, entry->name, RENAME_NOREPLACE) == 0) ++moved;
  }
  return moved;
}

bool is_forgotten(int folder) {
  constexpr time_t kDay = 86'400;
  struct stat info{};
  return fstat(folder, &info) == 0 && time(nullptr) - info.st_mtim.tv_sec > kDay;
}

// Nothing but what is known to be elsewhere may be deleted.
bool holds_only_covmeta(Entries folder) {
  while (const auto entry = folder.next()) {
    const auto kind = coverage::parse_file_name(entry->name).kind;
    const bool covmeta = kind == coverage::FileKind::covmeta && S_ISREG(entry->kind);
    if (kind != coverage::FileKind::control && !covmeta) return false;
  }
  return folder.complete();
}

// Its files, and itself if there is nothing else in it.
void remove_folder(int above, const char* name) {
  Entries entries(open_subfolder(above, name));
  while (const auto entry = entries.next()) {
    if (!S_ISDIR(entry->kind)) unlinkat(entries.folder(), entry->name, 0);
  }
  unlinkat(above, name, AT_REMOVEDIR);
}

// A run folder in which nothing was written yet.
void remove_tree(const std::string& path) {
  const UniqueFd above(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  remove_folder(above.get(), kControl);
  rmdir(path.c_str());
}

}  // namespace

Result<RunFolder> make_run_folder(const std::string& coverdir, const std::string& id) {
  const std::string path = join_path(control_folder(coverdir), std::string(kPrefix) + id);
  const std::string unseen = join_path(control_folder(coverdir), "new-" + id);
  const auto failed = [&path] {
    return Error{"cannot make the folder " + path + ": " + std::strerror(errno)};
  };
  if (mkdir(unseen.c_str(), 0700) != 0) return failed();
  ControlFolder control(unseen);
  if (control.lock() != ControlFolder::Lock::held) {
    remove_tree(unseen);
    return Error{"cannot lock the folder " + path};
  }
  if (renameat2(AT_FDCWD, unseen.c_str(), AT_FDCWD, path.c_str(), RENAME_NOREPLACE) != 0) {
    const Error error = failed();
    remove_tree(unseen);
    return error;
  }
  return RunFolder{path, std::move(control)};
}

Adopted adopt_run_folders(const std::string& coverdir, const BeforeTheMove& before) {
  Adopted adopted;
  std::vector<std::string> runs;
  Entries control(open_subfolder(AT_FDCWD, control_folder(coverdir).c_str()));
  while (const auto entry = control.next()) {
    const bool is_run = std::string_view(entry->name).starts_with(kPrefix);
    if (is_run && S_ISDIR(entry->kind)) runs.emplace_back(entry->name);
  }
  if (runs.empty()) return adopted;
  const UniqueFd folder(open(coverdir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  for (const std::string& run : runs) {
    const std::string path = join_path(control_folder(coverdir), run);
    const ControlFolder own(path);
    if (own.lock() != ControlFolder::Lock::held) continue;  // it goes on
    if (before && !before(path, own)) continue;
    adopted.ledgers.push_back(own.read(ControlFolder::Text::ledger));
    const UniqueFd left = open_subfolder(control.folder(), run.c_str());
    const bool forgotten = is_forgotten(left.get());
    adopted.moved += move_up(Entries(open_subfolder(left.get(), ".")), folder.get());
    if ((own.has_ended() || forgotten) &&
        holds_only_covmeta(Entries(open_subfolder(left.get(), ".")))) {
      remove_folder(left.get(), kControl);
      remove_folder(control.folder(), run.c_str());
    }
  }
  return adopted;
}

}  // namespace integcov::watch
