#include "process/reaper.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <string>
#include <string_view>

#include "base/unique_fd.h"

namespace integcov::process {
namespace {

// Field 4 of /proc/PID/stat; the name in field 2 may hold anything, so look behind its last ')'.
pid_t parent_of(pid_t pid) {
  const std::string path = "/proc/" + std::to_string(pid) + "/stat";
  const UniqueFd stat(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 512> buffer{};
  const ssize_t got = stat ? read(stat.get(), buffer.data(), buffer.size()) : -1;
  if (got <= 0) return 0;
  const std::string_view text(buffer.data(), static_cast<std::size_t>(got));
  const std::size_t name_end = text.rfind(") ");
  constexpr std::size_t kToParent = 4;  // ") S "
  if (name_end == std::string_view::npos || name_end + kToParent >= text.size()) return 0;
  pid_t parent = 0;
  std::from_chars(text.data() + name_end + kToParent, text.data() + text.size(), parent);
  return parent;
}

}  // namespace

void become_subreaper() { prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); }

Reaped reap(pid_t main_child) {
  Reaped reaped;
  while (true) {
    int status = 0;
    const pid_t pid = waitpid(-1, &status, WNOHANG | WUNTRACED);
    if (pid < 0 && errno == EINTR) continue;
    if (pid < 0) reaped.none_left = errno == ECHILD;
    if (pid <= 0) return reaped;
    if (WIFSTOPPED(status)) {
      if (pid == main_child) reaped.main_stopped = WSTOPSIG(status);
      continue;
    }
    reaped.ended.push_back(pid);
    if (pid != main_child) continue;
    reaped.main_stopped.reset();
    reaped.main = WIFSIGNALED(status) ? ExitStatus::killed_by(WTERMSIG(status))
                                      : ExitStatus::exited(WEXITSTATUS(status));
  }
}

bool descends_from(pid_t pid, pid_t ancestor) {
  constexpr int kDeepest = 256;  // a loop can't be, but /proc changes while we read
  for (int depth = 0; depth < kDeepest && pid > 1; ++depth) {
    pid = parent_of(pid);
    if (pid == ancestor) return true;
  }
  return false;
}

}  // namespace integcov::process
