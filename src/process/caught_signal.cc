#include "process/caught_signal.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <charconv>
#include <csignal>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/unique_fd.h"
#include "process/identity.h"
#include "process/proc.h"

namespace integcov::process {
namespace {

// SigCgt, SigBlk, …: a mask in hexadecimal.
bool mask_has(std::string_view status, std::string_view name, int signal) {
  const std::string_view digits = status_value(status, name);
  std::uint64_t mask = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), mask, 16);
  return (mask >> (signal - 1) & 1) != 0;
}

}  // namespace

bool catches_signal(pid_t pid, int signal) {
  return mask_has(read_proc_file(pid, "status"), "SigCgt", signal);
}

bool send_to_second_thread(pid_t pid, int signal) {
  constexpr std::size_t kMostThreads = 64;  // the first of a Go program will do
  for (const pid_t thread : other_threads(pid, kMostThreads)) {
    const std::string status = read_proc_file(pid, "task/" + std::to_string(thread) + "/status");
    if (!mask_has(status, "SigCgt", signal) || mask_has(status, "SigBlk", signal)) continue;
    if (syscall(SYS_tgkill, pid, thread, signal) == 0) return true;
  }
  return false;
}

bool send_if_caught(pid_t pid, int signal) {
  // Whoever its parent is may reap it at any time: the fd stays the process that is looked at.
  const UniqueFd process(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  // This waits for an execve that is under way, which shows the old handlers until it is over.
  if (!identify(pid)) return false;
  if (!catches_signal(pid, signal)) return false;
  if (!process) return kill(pid, signal) == 0;
  return syscall(SYS_pidfd_send_signal, process.get(), signal, nullptr, 0) == 0;
}

}  // namespace integcov::process
