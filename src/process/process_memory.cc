#include "process/process_memory.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <limits>
#include <string>

#include "process/proc.h"

namespace integcov::process {
namespace {

UniqueFd open_proc(pid_t pid, const char* name) {
  if (!has_proc()) {
    errno = ENOENT;
    return {};
  }
  const std::string path = "/proc/" + std::to_string(pid) + '/' + name;
  return UniqueFd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
}

}  // namespace

bool FileBytes::read(std::uint64_t at, std::span<std::byte> into) {
  while (!into.empty()) {
    if (at > static_cast<std::uint64_t>(std::numeric_limits<off_t>::max())) return false;
    const ssize_t got = pread(file_.get(), into.data(), into.size(), static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    into = into.subspan(static_cast<std::size_t>(got));
    at += static_cast<std::uint64_t>(got);
  }
  return true;
}

Result<FileBytes> open_memory(pid_t pid) {
  UniqueFd file = open_proc(pid, "mem");
  if (file) return FileBytes(std::move(file));
  const int error = errno;
  if (error == EACCES || error == EPERM) {
    return Error{
        "the kernel doesn't let us read its memory: it runs as another user, can't be dumped, or "
        "kernel.yama.ptrace_scope is above 1",
        error};
  }
  return Error{"its memory can't be opened", error};
}

Result<FileBytes> open_program(pid_t pid) {
  UniqueFd file = open_proc(pid, "exe");
  if (file) return FileBytes(std::move(file));
  return Error{"its program file can't be opened", errno};
}

}  // namespace integcov::process
