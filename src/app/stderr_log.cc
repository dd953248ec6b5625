#include "app/stderr_log.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

#include "base/log_format.h"
#include "event/loop.h"

namespace integcov::app {
namespace {

constexpr std::size_t kMostPending = std::size_t{64} * 1024;
constexpr int kFlushMs = 200;

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
    pollfd poll_fd{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
    if (poll(&poll_fd, 1, wait_ms) <= 0) return;
    // A pipe that poll(2) calls writable takes PIPE_BUF bytes without blocking. O_NONBLOCK is not
    // ours to set: the app shares the open file description.
    const std::size_t size = std::min<std::size_t>(pending_.size(), PIPE_BUF);
    ssize_t put = send(STDERR_FILENO, pending_.data(), size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (put < 0 && errno == ENOTSOCK) put = ::write(STDERR_FILENO, pending_.data(), size);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0 && errno == EAGAIN) return;
    if (put <= 0) {
      pending_.clear();  // closed, or its disk is full: nobody reads this
      return;
    }
    pending_.erase(0, static_cast<std::size_t>(put));
  }
}

}  // namespace integcov::app
