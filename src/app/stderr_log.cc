#include "app/stderr_log.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

#include "base/log_format.h"
#include "base/unique_fd.h"
#include "event/loop.h"

namespace integcov::app {
namespace {

constexpr std::size_t kMostPending = std::size_t{64} * 1024;
constexpr int kFlushMs = 200;

// Bytes, or -errno: as write(2) with O_NONBLOCK, which is not ours to set, since the app shares the
// open file description.
ssize_t write_at_once(const char* data, std::size_t size) {
  const auto result = [](ssize_t put) { return put < 0 ? -errno : put; };
  ssize_t put = result(send(STDERR_FILENO, data, size, MSG_DONTWAIT | MSG_NOSIGNAL));
  if (put != -ENOTSOCK) return put;
  const iovec part{const_cast<char*>(data), size};  // NOLINT(cppcoreguidelines-pro-type-const-cast)
  put = result(pwritev2(STDERR_FILENO, &part, 1, -1, RWF_NOWAIT));  // pipes, from Linux 6.4 on
  if (put != -EOPNOTSUPP && put != -ENOSYS && put != -EINVAL) return put;
  struct stat info{};
  if (fstat(STDERR_FILENO, &info) == 0 && (S_ISFIFO(info.st_mode) || S_ISCHR(info.st_mode))) {
    // Terminals; a description of our own.
    const UniqueFd own(open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (own) return result(::write(own.get(), data, size));
  }
  // Without /proc: a pipe that poll(2) calls writable takes PIPE_BUF bytes, unless the app is
  // quicker.
  pollfd poll_fd{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
  return poll(&poll_fd, 1, 0) > 0 ? result(::write(STDERR_FILENO, data, size)) : -EAGAIN;
}

}  // namespace

void StderrLog::write(const LogRecord& record) {
  if (record.severity < style_.lowest) return;
  std::string line = style_.json ? format_json(record, event::Loop::wall_now(), style_.labels)
                                 : format_text(record, style_.color);
  if (pending_.size() + line.size() <= kMostPending) pending_ += line;
  drain(0);
}

void StderrLog::flush() { drain(kFlushMs); }

void StderrLog::drain(int wait_ms) {
  while (!pending_.empty()) {
    const std::size_t size = std::min<std::size_t>(pending_.size(), PIPE_BUF);
    const ssize_t put = write_at_once(pending_.data(), size);
    if (put == -EINTR) continue;
    if (put == -EAGAIN) {
      pollfd poll_fd{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
      if (wait_ms == 0 || poll(&poll_fd, 1, wait_ms) <= 0) return;
      continue;
    }
    if (put <= 0) {
      pending_.clear();  // closed, or its disk is full: nobody reads this
      return;
    }
    pending_.erase(0, static_cast<std::size_t>(put));
  }
}

}  // namespace integcov::app
