#include "process/reaper.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "process/proc.h"

namespace integcov::process {

void become_subreaper() { prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); }

std::vector<pid_t> children() {
  siginfo_t info{};
  if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0) return {};
  const std::string list = "task/" + std::to_string(getpid()) + "/children";
  return parse_pids(read_proc_file(getpid(), list.c_str()));
}

Reaped reap(pid_t main_child, std::vector<pid_t>& earlier) {
  Reaped reaped;
  while (true) {
    int status = 0;
    const pid_t pid = waitpid(-1, &status, WNOHANG | WUNTRACED | __WALL);
    if (pid < 0 && errno == EINTR) continue;
    if (pid < 0) reaped.none_left = errno == ECHILD;
    if (pid == 0 && !earlier.empty()) {
      const auto is_earlier = [&](pid_t child) {
        return std::ranges::find(earlier, child) != earlier.end();
      };
      const std::vector<pid_t> left = children();
      reaped.none_left = !left.empty() && std::ranges::all_of(left, is_earlier);
    }
    if (pid <= 0) return reaped;
    if (WIFSTOPPED(status)) {
      if (pid == main_child) reaped.main_stopped = WSTOPSIG(status);
      continue;
    }
    reaped.ended.push_back(pid);
    std::erase(earlier, pid);
    if (pid != main_child) continue;
    reaped.main_stopped.reset();
    reaped.main = WIFSIGNALED(status) ? ExitStatus::killed_by(WTERMSIG(status))
                                      : ExitStatus::exited(WEXITSTATUS(status));
  }
}

}  // namespace integcov::process
