#include "app/install.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/path.h"
#include "base/unique_fd.h"

namespace integcov::app {
namespace {

Error failure(const std::string& what, int code) {
  return {"--install: cannot " + what + ": " + std::strerror(code), code};
}

ssize_t read_some(int fd, std::array<char, 65536>& buffer) {
  ssize_t got = -1;
  do got = read(fd, buffer.data(), buffer.size());
  while (got < 0 && errno == EINTR);
  return got;
}

// False with errno set.
bool write_all(int fd, const char* data, std::size_t size) {
  while (size > 0) {
    const ssize_t put = write(fd, data, size);
    if (put < 0 && errno != EINTR) return false;
    if (put < 0) continue;
    data += put;
    size -= static_cast<std::size_t>(put);
  }
  return true;
}

Status copy(const UniqueFd& from, const std::string& source, UniqueFd to,
            const std::string& target) {
  std::array<char, 65536> buffer;
  ssize_t got = 0;
  while ((got = read_some(from.get(), buffer)) > 0) {
    if (!write_all(to.get(), buffer.data(), static_cast<std::size_t>(got))) {
      return failure("write " + target, errno);
    }
  }
  if (got < 0) return failure("read " + source, errno);
  if (fchmod(to.get(), 0755) != 0) return failure("make " + target + " executable", errno);
  if (close(to.release()) != 0) return failure("write " + target, errno);
  return Success{};
}

}  // namespace

Result<std::string> install(const std::string& source, const std::string& path) {
  struct stat info{};
  const bool folder = stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
  const std::string target = folder ? join_path(path, "go-integcov") : path;

  const UniqueFd from(open(source.c_str(), O_RDONLY | O_CLOEXEC));
  if (!from) return failure("read " + source, errno);
  std::string temporary = target + ".XXXXXX";
  UniqueFd to(mkostemp(temporary.data(), O_CLOEXEC));
  if (!to) return failure("write " + target, errno);

  Status done = copy(from, source, std::move(to), target);
  if (done && std::rename(temporary.c_str(), target.c_str()) != 0) {
    done = failure("write " + target, errno);
  }
  if (done) return target;
  unlink(temporary.c_str());
  return done.error();
}

}  // namespace integcov::app
