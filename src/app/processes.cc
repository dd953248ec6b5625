#include "app/processes.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
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
#include "process/caught_signal.h"
#include "process/identity.h"
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

// The last line of both files: the image's checksum. A program that may not be looked at can't look
// at itself either: its checksum is "-".
std::string image_line(std::string_view auxv) {
  std::array<char, 9> checksum{"-"};
  if (!auxv.empty()) {
    std::snprintf(checksum.data(), checksum.size(), "%08x", crc32c(0, auxv));
  }
  return '\n' + std::string(checksum.data()) + '\n';
}

// ready.PID: the format's number, the signal's number and the checksum, a line each. The signal, or
// 0 if there is no handler.
int handler_signal(const std::string& coverdir, pid_t pid, std::string_view auxv) {
  constexpr std::string_view kFormat = "1\n";
  const std::string ready = handler_file(coverdir, "ready", pid);
  if (!ready.starts_with(kFormat) || !ready.ends_with(image_line(auxv))) return 0;
  int signal = 0;
  const char* const end = ready.data() + ready.size();
  const auto [stop, error] = std::from_chars(ready.data() + kFormat.size(), end, signal);
  const bool good = error == std::errc() && stop != end && *stop == '\n';
  return good && signal > 0 && signal <= SIGRTMAX ? signal : 0;
}

// error.PID: a sentence and the checksum; "" if there is none of this image.
std::string handler_error(const std::string& coverdir, pid_t pid, std::string_view auxv) {
  const std::string error = handler_file(coverdir, "error", pid);
  return error.ends_with(image_line(auxv)) ? printable(error.substr(0, error.find('\n'))) : "";
}

}  // namespace

ProcessesFound find_processes(const std::string& coverdir, pid_t main,
                              const std::vector<std::string>& hashes) {
  ProcessesFound found;
  for (const std::string& hash : hashes) found.metas[hash] = meta_stamp(coverdir, hash);
  found.last_pid = static_cast<std::uint32_t>(process::last_pid());
  std::vector<pid_t> pids = process::descendants();
  if (std::ranges::find(pids, main) == pids.end()) pids.push_back(main);  // there is no /proc
  for (const pid_t pid : pids) {
    const auto identity = process::identify(pid);
    const auto start = identity ? std::optional(identity->start_time) : process::birth(pid);
    found.process_starts[static_cast<std::uint32_t>(pid)] = start.value_or(0);
    if (!identity && pid != main) continue;
    ProcessesFound::Process process{.pid = static_cast<std::uint32_t>(pid), .main = pid == main};
    const SeenImage seen = seen_image(identity, pid, {main});
    process.image = seen.text;
    process.exact = seen.exact;
    const std::string_view auxv = identity ? std::string_view(identity->image) : "";
    process.handler_signal = handler_signal(coverdir, pid, auxv);
    if (process.handler_signal == 0) process.handler_error = handler_error(coverdir, pid, auxv);
    found.processes.push_back(std::move(process));
  }
  found.end_ns = event::Loop::wall_now().time_since_epoch().count();
  return found;
}

supervise::SnapshotSignalled signal_snapshot(const supervise::SignalSnapshot& asked, pid_t main) {
  const auto pid = static_cast<pid_t>(asked.pid);
  supervise::SnapshotSignalled answer{
      .pid = asked.pid, .sent = false, .at_ns = event::Loop::wall_now().time_since_epoch().count()};
  if (pid != main && image_of(pid, {main}).text.empty()) return answer;
  answer.sent = process::send_to_second_thread(pid, asked.signal) ||
                (!asked.to_go && process::send_if_caught(pid, asked.signal));
  // Else it is just ending, or being executed.
  answer.uncaught = !answer.sent && !asked.to_go && process::identify(pid) &&
                    !process::catches_signal(pid, asked.signal);
  return answer;
}

}  // namespace integcov::app
