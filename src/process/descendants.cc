// descendants() and is_descendant().
#include <dirent.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <string_view>
#include <unordered_map>

#include "process/identity.h"
#include "process/process_memory.h"

namespace integcov::process {
namespace {

constexpr std::size_t kMost = 4096;
constexpr std::size_t kMostListed = 65536;  // processes of the machine, threads of a process

struct CloseFolder {
  void operator()(DIR* folder) const { closedir(folder); }
};

std::vector<pid_t> numbers_in(const std::string& path) {
  const std::unique_ptr<DIR, CloseFolder> folder(opendir(path.c_str()));
  std::vector<pid_t> numbers;
  while (folder && numbers.size() < kMostListed) {
    const dirent* entry = readdir(folder.get());
    if (entry == nullptr) break;
    const std::string_view name = entry->d_name;
    pid_t number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error == std::errc() && end == name.data() + name.size()) numbers.push_back(number);
  }
  return numbers;
}

// The kernel may be built without these lists (CONFIG_PROC_CHILDREN).
bool kernel_lists_children() {
  const std::string path = "/proc/self/task/" + std::to_string(getpid()) + "/children";
  return access(path.c_str(), R_OK) == 0;
}

std::vector<pid_t> listed_children(pid_t parent) {
  std::vector<pid_t> children;
  for (const pid_t thread : numbers_in("/proc/" + std::to_string(parent) + "/task")) {
    const std::string name = "task/" + std::to_string(thread) + "/children";
    for (const pid_t child : parse_pids(read_proc_file(parent, name.c_str()))) {
      children.push_back(child);
    }
  }
  return children;
}

// The value of a line of /proc/PID/status.
std::string status_value(pid_t pid, std::string_view name) {
  const std::string status = read_proc_file(pid, "status");
  const std::string start = '\n' + std::string(name) + ":\t";
  const std::size_t at = status.find(start);
  if (at == std::string::npos) return "";
  const std::size_t value = at + start.size();
  return status.substr(value, status.find('\n', value) - value);
}

std::unordered_multimap<pid_t, pid_t> all_by_parent() {
  std::unordered_multimap<pid_t, pid_t> by_parent;
  for (const pid_t pid : numbers_in("/proc")) {
    for (const pid_t parent : parse_pids(status_value(pid, "PPid"))) by_parent.emplace(parent, pid);
  }
  return by_parent;
}

// One pid for each namespace, from ours inwards.
std::ptrdiff_t namespaces_of(pid_t pid) {
  return std::ranges::count(status_value(pid, "NSpid"), '\t');
}

}  // namespace

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

bool is_descendant(pid_t pid) {
  if (namespaces_of(pid) != namespaces_of(getpid())) return false;
  // A parent that ends on the way leaves its child to another one: then once more.
  for (int tries = 0; tries < 3; ++tries) {
    pid_t at = pid;
    while (true) {
      const std::vector<pid_t> parent = parse_pids(status_value(at, "PPid"));
      if (parent.empty()) break;
      at = parent.front();
      if (at == getpid()) return true;
      if (at <= 1) return false;
    }
  }
  return false;
}

}  // namespace integcov::process
