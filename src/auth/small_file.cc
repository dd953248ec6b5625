#include "auth/small_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/unique_fd.h"

namespace integcov::auth {

Result<std::string> read_small_file(const std::string& path) {
  constexpr std::size_t kMost = 1 << 20;
  const UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!file) return Error{std::strerror(errno)};
  std::string text;
  std::array<char, 1024> buffer;
  while (true) {
    const ssize_t got = read(file.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Error{std::strerror(errno)};
    if (got == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(got));
    if (text.size() > kMost) return Error{"the file is larger than 1 MiB"};
  }
}

}  // namespace integcov::auth
