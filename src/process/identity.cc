#include "process/identity.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstring>
#include <string_view>

#include "base/unique_fd.h"
#include "process/proc.h"

namespace integcov::process {
namespace {

// Fields of /proc/PID/stat after the program's name, which may hold anything (proc_pid_stat(5)).
constexpr std::size_t kState = 0;
constexpr std::size_t kFlags = 6;
constexpr std::size_t kStartTime = 19;
constexpr std::uint64_t kForkedNoExec = 0x40;  // PF_FORKNOEXEC, include/linux/sched.h

std::string_view field(std::string_view stat, std::size_t index) {
  const std::size_t name_end = stat.rfind(") ");
  if (name_end == std::string_view::npos) return "";
  stat.remove_prefix(name_end + 2);
  for (; index > 0 && !stat.empty(); --index) {
    const std::size_t space = stat.find(' ');
    stat.remove_prefix(space == std::string_view::npos ? stat.size() : space + 1);
  }
  return stat.substr(0, stat.find(' '));
}

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// execve(2) fills it in step by step.
bool has_entry(std::string_view auxv) {
  constexpr std::uint64_t kEntry = 9;  // AT_ENTRY
  std::array<std::uint64_t, 2> pair{};
  for (; auxv.size() >= sizeof pair; auxv.remove_prefix(sizeof pair)) {
    std::memcpy(pair.data(), auxv.data(), sizeof pair);
    if (pair[0] == kEntry) return true;
  }
  return false;
}

// personality(2), and kernel.randomize_va_space in proc_sys_kernel(5).
bool has_random_addresses(pid_t pid) {
  constexpr std::uint64_t kNoRandomize = 0x0040000;  // ADDR_NO_RANDOMIZE
  static const bool machine_has = [] {
    const UniqueFd setting(open("/proc/sys/kernel/randomize_va_space", O_RDONLY | O_CLOEXEC));
    char level = '0';
    return setting && read(setting.get(), &level, 1) == 1 && level != '0';
  }();
  const std::string text = read_proc_file(pid, "personality");
  std::uint64_t personality = kNoRandomize;
  std::from_chars(text.data(), text.data() + text.size(), personality, 16);
  return machine_has && (personality & kNoRandomize) == 0;
}

}  // namespace

std::optional<std::uint64_t> birth(pid_t pid) {
  return number(field(read_proc_file(pid, "stat"), kStartTime));
}

std::optional<std::uint64_t> start_time(pid_t pid) {
  const std::string stat = read_proc_file(pid, "stat");
  const std::string_view state = field(stat, kState);
  const auto flags = number(field(stat, kFlags));
  const auto started = number(field(stat, kStartTime));
  if (state == "Z" || state == "X" || !flags || !started || (*flags & kForkedNoExec) != 0) {
    return std::nullopt;
  }
  return started;
}

std::optional<ProcessIdentity> identify(pid_t pid) {
  const auto started = start_time(pid);
  if (!started) return std::nullopt;
  std::string image = read_proc_file(pid, "auxv");
  if (!has_entry(image)) return std::nullopt;
  ProcessIdentity identity{pid, *started, std::move(image), has_random_addresses(pid), {}};
  if (!identity.random) identity.thread = oldest_thread(pid);
  return identity;
}

std::optional<Thread> oldest_thread(pid_t pid) {
  for (const pid_t thread : other_threads(pid, 1)) {
    const std::string stat = read_proc_file(pid, "task/" + std::to_string(thread) + "/stat");
    if (const auto started = number(field(stat, kStartTime))) return Thread{thread, *started};
  }
  return std::nullopt;
}

}  // namespace integcov::process
