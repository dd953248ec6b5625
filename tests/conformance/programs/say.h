// One line to stdout at once: no buffer that a signal or an exec could lose.
#pragma once

#include <unistd.h>

#include <cerrno>
#include <string>

inline void say(const std::string& line, int fd = STDOUT_FILENO) {
  const std::string text = line + '\n';
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t put = write(fd, text.data() + done, text.size() - done);
    if (put < 0 && errno == EPIPE) _exit(96);  // the test is over: SIGPIPE may be caught
    if (put <= 0) return;
    done += static_cast<std::size_t>(put);
  }
}
