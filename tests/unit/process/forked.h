// Bodies that change what belongs to a whole process (mask, dispositions, children, terminal) run
// in a forked child of the test.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>
#include <functional>
#include <string>
#include <vector>

#include "process/reaper.h"

namespace integcov::process {

inline Reaped reap(pid_t main_child) {
  std::vector<pid_t> none_earlier;
  return reap(main_child, none_earlier);
}

using Body = std::function<std::string()>;

inline constexpr int kPatienceMs = 30'000;

inline std::string read_fd(int fd) {
  std::string text;
  std::array<char, 4096> buffer{};
  ssize_t got = 0;
  while ((got = read(fd, buffer.data(), buffer.size())) > 0) {
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return text;
}

inline void run_body(const Body& body, int to) {
  std::string result;
  try {
    result = body();
  } catch (const std::exception& error) {
    result = std::string("threw: ") + error.what();
  }
  [[maybe_unused]] const auto put = write(to, result.data(), result.size());
  _exit(0);
}

// What the body returned (less than a pipe holds), or how its process ended.
inline std::string result_of(pid_t pid, int from) {
  std::string result;
  pollfd readable{.fd = from, .events = POLLIN, .revents = 0};
  if (poll(&readable, 1, kPatienceMs) <= 0) {
    kill(pid, SIGKILL);
    result = "(hangs)";
  } else {
    std::array<char, 65536> buffer{};
    const ssize_t got = read(from, buffer.data(), buffer.size());
    result.assign(buffer.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
  }
  int status = 0;
  waitpid(pid, &status, 0);
  if (WIFSIGNALED(status)) result += "(signal " + std::to_string(WTERMSIG(status)) + ')';
  return result;
}

// What is sent to the group must not reach the test.
inline void lead_a_group() { setpgid(0, 0); }
// Without a controlling terminal, whatever the test has.
inline void lead_a_session() { setsid(); }

// `first` is what the child begins with.
inline std::string in_a_child(const Body& body, void (*first)() = lead_a_group) {
  std::array<int, 2> ends{};
  EXPECT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
  const pid_t pid = fork();
  if (pid == 0) {
    first();
    close(ends[0]);
    run_body(body, ends[1]);
  }
  close(ends[1]);
  const std::string result = result_of(pid, ends[0]);
  close(ends[0]);
  return result;
}

// As the leader of a session on a terminal of its own, without a shell above it. fd 0 to 2 are the
// terminal.
inline std::string on_a_terminal(const Body& body) {
  std::array<int, 2> ends{};
  EXPECT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
  int master = -1;
  const pid_t pid = forkpty(&master, nullptr, nullptr, nullptr);
  if (pid == 0) {
    close(ends[0]);
    run_body(body, ends[1]);
  }
  close(ends[1]);
  const std::string result = result_of(pid, ends[0]);
  close(ends[0]);
  close(master);
  return result;
}

// Polls; false if the condition doesn't come true in time.
inline bool eventually(const std::function<bool()>& condition) {
  for (int ms = 0; ms < kPatienceMs; ++ms) {
    if (condition()) return true;
    usleep(1000);
  }
  return false;
}

// The letter of /proc/PID/stat: R, S, T, Z, …; '-' if there is no such process.
inline char state_of(pid_t pid) {
  const std::string path = "/proc/" + std::to_string(pid) + "/stat";
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return '-';
  const std::string text = read_fd(fd);
  close(fd);
  const std::size_t at = text.rfind(") ");
  return at == std::string::npos || at + 2 >= text.size() ? '-' : text[at + 2];
}

// char pointers for exec, up to a null pointer.
class Words {
 public:
  Words(std::vector<std::string> words) : words_(std::move(words)) {
    for (std::string& word : words_) pointers_.push_back(word.data());
    pointers_.push_back(nullptr);
  }
  Words(const Words&) = delete;
  Words& operator=(const Words&) = delete;
  ~Words() = default;
  [[nodiscard]] char* const* get() const { return pointers_.data(); }

 private:
  std::vector<std::string> words_;
  std::vector<char*> pointers_;
};

}  // namespace integcov::process
