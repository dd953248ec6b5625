// descendants(), last_pid(), is_descendant() and other_threads().
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/unique_fd.h"
#include "process/identity.h"
#include "process/proc.h"

namespace integcov::process {
namespace {

constexpr std::size_t kMost = 4096;
constexpr std::size_t kMostListed = 65536;  // processes of the machine, threads of a process

// The kernel may be built without these lists (CONFIG_PROC_CHILDREN).
bool kernel_lists_children() {
  const std::string path = "/proc/self/task/" + std::to_string(getpid()) + "/children";
  return access(path.c_str(), R_OK) == 0;
}

std::vector<pid_t> listed_children(pid_t parent) {
  std::vector<pid_t> children;
  for (const pid_t thread : numbers_in("/proc/" + std::to_string(parent) + "/task", kMostListed)) {
    const std::string name = "task/" + std::to_string(thread) + "/children";
    for (const pid_t child : parse_pids(read_proc_file(parent, name))) {
      children.push_back(child);
    }
  }
  return children;
}

std::string status_line(pid_t pid, std::string_view name) {
  return std::string(status_value(read_proc_file(pid, "status"), name));
}

std::unordered_multimap<pid_t, pid_t> all_by_parent() {
  std::unordered_multimap<pid_t, pid_t> by_parent;
  for (const pid_t pid : numbers_in("/proc", kMostListed)) {
    for (const pid_t parent : parse_pids(status_line(pid, "PPid"))) by_parent.emplace(parent, pid);
  }
  return by_parent;
}

// One pid for each namespace, from ours inwards.
std::ptrdiff_t namespaces_of(pid_t pid) {
  return std::ranges::count(status_line(pid, "NSpid"), '\t');
}

}  // namespace

std::vector<pid_t> descendants() {
  const bool lists = kernel_lists_children();
  const auto by_parent = lists ? std::unordered_multimap<pid_t, pid_t>() : all_by_parent();
  const auto children_of = [&](pid_t parent) {
    if (lists) return listed_children(parent);
    std::vector<pid_t> children;
    const auto [first, last] = by_parent.equal_range(parent);
    for (auto child = first; child != last; ++child) children.push_back(child->second);
    return children;
  };

  // Breadth first: `all` is the queue too. A pid that is reused meanwhile could come twice.
  std::vector<pid_t> all{getpid()};
  for (std::size_t next = 0; next < all.size() && all.size() < kMost; ++next) {
    for (const pid_t child : children_of(all[next])) {
      if (all.size() < kMost && std::ranges::find(all, child) == all.end()) all.push_back(child);
    }
  }
  all.erase(all.begin());
  const std::ptrdiff_t ours = namespaces_of(getpid());
  std::erase_if(all, [&](pid_t pid) { return namespaces_of(pid) != ours; });
  return all;
}

// The last field of proc_loadavg(5).
pid_t last_pid() {
  const UniqueFd file(open("/proc/loadavg", O_RDONLY | O_CLOEXEC));
  struct statfs system{};  // LXCFS lays a file of its own over it
  if (!file || fstatfs(file.get(), &system) != 0 || system.f_type != PROC_SUPER_MAGIC) return 0;
  std::array<char, 128> text{};
  const ssize_t got = read(file.get(), text.data(), text.size());
  if (got <= 0) return 0;
  const std::string_view line(text.data(), static_cast<std::size_t>(got));
  const std::vector<pid_t> pid = parse_pids(line.substr(line.rfind(' ') + 1));
  return pid.size() == 1 ? pid.front() : 0;
}

bool is_descendant(pid_t pid) {
  if (namespaces_of(pid) != namespaces_of(getpid())) return false;
  // A parent that ends on the way leaves its child to another one: then once more.
  for (int tries = 0; tries < 3; ++tries) {
    pid_t at = pid;
    while (true) {
      const std::vector<pid_t> parent = parse_pids(status_line(at, "PPid"));
      if (parent.empty()) break;
      at = parent.front();
      if (at == getpid()) return true;
      if (at <= 1) return false;
    }
  }
  return false;
}

std::vector<pid_t> other_threads(pid_t pid, std::size_t most) {
  if (!has_proc()) return {};
  // The kernel lists them in the order of their creation.
  std::vector<pid_t> threads = numbers_in("/proc/" + std::to_string(pid) + "/task", most + 1);
  std::erase(threads, pid);
  return threads;
}

}  // namespace integcov::process
