#include "process/proc.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>

#include "base/unique_fd.h"

namespace integcov::process {
namespace {

constexpr std::size_t kMostProcBytes = 16 << 20;

}  // namespace

bool has_proc() {
  static const bool has = [] {
    std::array<char, 32> text{};
    const ssize_t length = readlink("/proc/self", text.data(), text.size());
    const std::string own = std::to_string(getpid());
    return length > 0 && std::string_view(text.data(), static_cast<std::size_t>(length)) == own;
  }();
  return has;
}

std::string read_proc_file(pid_t pid, const std::string& name) {
  if (!has_proc()) return "";
  const std::string path = "/proc/" + std::to_string(pid) + '/' + name;
  const UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string bytes;
  std::array<char, 4096> buffer{};
  while (file && bytes.size() < kMostProcBytes) {
    const ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    bytes.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return bytes;
}

// Not opendir(3), which takes 32 kB for each folder.
std::vector<pid_t> numbers_in(const std::string& path, std::size_t most) {
  const UniqueFd folder(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  std::vector<pid_t> numbers;
  alignas(dirent64) std::array<char, 2048> buffer;
  while (folder) {
    const ssize_t got = getdents64(folder.get(), buffer.data(), buffer.size());
    if (got <= 0) break;
    for (const char* at = buffer.data(); at < buffer.data() + got;) {
      const auto* entry = reinterpret_cast<const dirent64*>(at);
      at += entry->d_reclen;
      const std::string_view name = entry->d_name;
      pid_t number = 0;
      const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
      if (error != std::errc() || end != name.data() + name.size()) continue;
      if (numbers.size() == most) return numbers;
      numbers.push_back(number);
    }
  }
  return numbers;
}

std::string_view status_value(std::string_view status, std::string_view name) {
  for (std::size_t at = 0; (at = status.find(name, at)) != std::string_view::npos;
       at += name.size()) {
    std::string_view rest = status.substr(at + name.size());
    if ((at > 0 && status[at - 1] != '\n') || !rest.starts_with(":\t")) continue;
    rest.remove_prefix(2);
    return rest.substr(0, rest.find('\n'));
  }
  return "";
}

std::vector<pid_t> parse_pids(std::string_view text) {
  std::vector<pid_t> pids;
  const char* at = text.data();
  const char* end = text.data() + text.size();
  while (at != end) {
    pid_t pid = 0;
    const auto [next, error] = std::from_chars(at, end, pid);
    if (error == std::errc()) pids.push_back(pid);
    at = next == at ? at + 1 : next;
  }
  return pids;
}

}  // namespace integcov::process
