#include "app/processes.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <string_view>
#include <utility>
#include <vector>

#include "app/snapshot_files.h"
#include "base/crc32c.h"
#include "base/encoding.h"
#include "base/unique_fd.h"
#include "coverage/file_name.h"
#include "event/loop.h"
#include "process/identity.h"
#include "process/job_control.h"
#include "watch/folder.h"

namespace integcov::app {
namespace {

using supervise::ProcessesFound;

// What the handler of that process wrote to .integcov; "" if there is none.
std::string handler_file(const std::string& coverdir, const std::string& kind, pid_t pid) {
  const std::string folder = coverdir + '/' + std::string(coverage::kControlFolder);
  const auto file = watch::open_below(folder, kind + '.' + std::to_string(pid));
  std::array<char, 1024> text{};
  const ssize_t got = file ? read(file->get(), text.data(), text.size()) : -1;
  return got > 0 ? std::string(text.data(), static_cast<std::size_t>(got)) : "";
}

// ready.PID: the format's number, the signal's number and the image's checksum, a line each. A
// program that may not be looked at can't look at itself either: its checksum is "-".
bool has_handler(const std::string& coverdir, pid_t pid, std::string_view auxv) {
  const std::string ready = handler_file(coverdir, "ready", pid);
  std::array<char, 9> checksum{"-"};
  if (!auxv.empty()) {
    std::snprintf(checksum.data(), checksum.size(), "%08x", crc32c(0, auxv));
  }
  return ready.starts_with("1\n") && ready.ends_with('\n' + std::string(checksum.data()) + '\n');
}

std::string first_line(const std::string& text) {
  return printable(text.substr(0, text.find('\n')));
}

}  // namespace

ProcessesFound find_processes(const std::string& coverdir, pid_t main) {
  const auto wall_ns = [] { return event::Loop::wall_now().time_since_epoch().count(); };
  ProcessesFound found{.processes = {}, .begin_ns = wall_ns()};
  std::vector<pid_t> pids = process::descendants();
  if (std::ranges::find(pids, main) == pids.end()) pids.push_back(main);  // there is no /proc
  for (const pid_t pid : pids) {
    const auto identity = process::identify(pid);
    if (!identity && pid != main) continue;
    ProcessesFound::Process process{.pid = static_cast<std::uint32_t>(pid), .main = pid == main};
    if (identity) process.image = image_text(*identity);
    process.handler = has_handler(coverdir, pid, identity ? identity->image : "");
    if (!process.handler) process.handler_error = first_line(handler_file(coverdir, "error", pid));
    found.processes.push_back(std::move(process));
  }
  found.end_ns = wall_ns();
  return found;
}

supervise::SnapshotSignalled signal_snapshot(const supervise::SignalSnapshot& asked, pid_t main) {
  const auto pid = static_cast<pid_t>(asked.pid);
  supervise::SnapshotSignalled answer{
      .pid = asked.pid, .sent = false, .at_ns = event::Loop::wall_now().time_since_epoch().count()};
  if (pid == main) {  // not reaped yet: the pid is its own
    answer.sent = process::catches_signal(pid, asked.signal) && kill(pid, asked.signal) == 0;
    return answer;
  }
  // Another one's parent may reap it at any time; the fd stays the process that we look at.
  const UniqueFd process(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (!process || image_of(pid).empty() || !process::catches_signal(pid, asked.signal)) {
    return answer;
  }
  answer.sent = syscall(SYS_pidfd_send_signal, process.get(), asked.signal, nullptr, 0) == 0;
  return answer;
}

}  // namespace integcov::app
