#include "watch/control_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <ctime>
#include <string_view>

#include "base/path.h"
#include "coverage/file_name.h"
#include "watch/folder.h"

namespace integcov::watch {
namespace {

constexpr const char* kLockName = "lock";
constexpr const char* kEndName = "ended";
constexpr std::array kNames{"uploaded", "writers"};  // by Text
constexpr std::size_t kMostBytes = 64 << 20;         // that are read

std::size_t index_of(ControlFolder::Text text) { return static_cast<std::size_t>(text); }

}  // namespace

UniqueFd leave_alone(const std::string& coverdir) {
  constexpr int kTries = 500;
  constexpr timespec kPause{.tv_sec = 0, .tv_nsec = 2'000'000};
  const std::string path = join_path(coverdir, std::string(coverage::kControlFolder));
  UniqueFd file(open((path + "/leaving").c_str(),
                     O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600));
  for (int tries = 0; file && tries < kTries; ++tries) {
    if (flock(file.get(), LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) break;
    nanosleep(&kPause, nullptr);
  }
  return file;
}

ControlFolder::ControlFolder(const std::string& coverdir) {
  const std::string path = coverdir + '/' + std::string(coverage::kControlFolder);
  mkdir(path.c_str(), 0700);
  folder_.reset(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (folder_) {
    lock_file_.reset(
        openat(folder_.get(), kLockName, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  }
  const int error = errno;
  if (!lock_file_) {
    if (error == EACCES || error == EPERM) lock_ = Lock::forbidden;
    return;
  }
  if (flock(lock_file_.get(), LOCK_EX | LOCK_NB) == 0) {
    lock_ = Lock::held;
  } else if (errno == EWOULDBLOCK) {
    lock_ = Lock::taken;
  }
}

std::string ControlFolder::read(Text text) const {
  std::string content;
  const UniqueFd file(folder_ ? openat(folder_.get(), kNames.at(index_of(text)),
                                       O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
                              : -1);
  std::array<char, 1024> buffer;
  while (file && content.size() < kMostBytes) {
    const ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    content.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return content;
}

bool ControlFolder::begin(Text text, const std::string& content) {
  UniqueFd& file = texts_.at(index_of(text));
  file.reset();
  if (lock_ != Lock::held) return false;
  const char* name = kNames.at(index_of(text));
  const std::string temporary = std::string(name) + ".new";
  // Never what somebody put there: a FIFO would block us, a hard link be overwritten.
  unlinkat(folder_.get(), temporary.c_str(), 0);
  UniqueFd anew(openat(folder_.get(), temporary.c_str(),
                       O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!anew || !write_all(anew.get(), content) ||
      renameat(folder_.get(), temporary.c_str(), folder_.get(), name) != 0) {
    return false;
  }
  file = std::move(anew);
  return true;
}

bool ControlFolder::remove(Text text) {
  texts_.at(index_of(text)).reset();
  return folder_ && (unlinkat(folder_.get(), kNames.at(index_of(text)), 0) == 0 || errno == ENOENT);
}

void ControlFolder::note_end() {
  if (lock_ != Lock::held) return;
  const UniqueFd note(
      openat(folder_.get(), kEndName, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
}

bool ControlFolder::has_ended() const {
  struct stat info{};
  return folder_ && fstatat(folder_.get(), kEndName, &info, AT_SYMLINK_NOFOLLOW) == 0;
}

void ControlFolder::append(Text text, const std::string& line) {
  UniqueFd& file = texts_.at(index_of(text));
  // A line cut short by a full disk is skipped by the reader; later ones would run into it.
  if (file && !write_all(file.get(), line)) file.reset();
}

}  // namespace integcov::watch
