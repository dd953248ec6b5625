#include "watch/control_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <string_view>

#include "coverage/file_name.h"

namespace integcov::watch {
namespace {

constexpr const char* kLockName = "lock";
constexpr const char* kLedgerName = "uploaded";
constexpr const char* kNewLedgerName = "uploaded.new";
constexpr std::size_t kMostLedgerBytes = 64 << 20;

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t put = write(fd, text.data(), text.size());
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(put));
  }
  return true;
}

}  // namespace

ControlFolder::ControlFolder(const std::string& coverdir) {
  const std::string path = coverdir + '/' + std::string(coverage::kControlFolder);
  mkdir(path.c_str(), 0700);
  folder_.reset(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (folder_) {
    lock_file_.reset(
        openat(folder_.get(), kLockName, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  }
  if (!lock_file_) {
    if (errno == EACCES || errno == EPERM) lock_ = Lock::forbidden;
    return;
  }
  if (flock(lock_file_.get(), LOCK_EX | LOCK_NB) == 0) {
    lock_ = Lock::held;
  } else if (errno == EWOULDBLOCK) {
    lock_ = Lock::taken;
  }
}

std::string ControlFolder::read_ledger() const {
  std::string text;
  const UniqueFd file(
      folder_ ? openat(folder_.get(), kLedgerName, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
              : -1);
  std::array<char, 16384> buffer{};
  while (file && text.size() < kMostLedgerBytes) {
    const ssize_t got = read(file.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return text;
}

bool ControlFolder::write_ledger(const std::string& text) {
  ledger_.reset();
  if (lock_ != Lock::held) return false;
  // Never what somebody put there: a FIFO would block us, a hard link be overwritten.
  unlinkat(folder_.get(), kNewLedgerName, 0);
  UniqueFd file(openat(folder_.get(), kNewLedgerName,
                       O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file || !write_all(file.get(), text) ||
      renameat(folder_.get(), kNewLedgerName, folder_.get(), kLedgerName) != 0) {
    return false;
  }
  ledger_ = std::move(file);
  return true;
}

void ControlFolder::append_to_ledger(const std::string& line) {
  // A line cut short by a full disk is skipped by the reader; later ones would run into it.
  if (ledger_ && !write_all(ledger_.get(), line)) ledger_.reset();
}

}  // namespace integcov::watch
