// How a process ended.
#pragma once

namespace integcov {

struct ExitStatus {
  bool signaled = false;
  int value = 0;  // the exit code (0 to 255), or the signal's number if signaled

  static ExitStatus exited(int code) { return {false, code}; }
  static ExitStatus killed_by(int signal) { return {true, signal}; }

  // As a shell reports it: the code, or 128 + the signal's number.
  [[nodiscard]] int shell_code() const { return signaled ? 128 + value : value; }

  friend bool operator==(const ExitStatus&, const ExitStatus&) = default;
};

// Exit codes of go-integcov's own (POSIX `env`, coreutils `timeout`).
inline constexpr int kExitOwnError = 125;
inline constexpr int kExitNotExecutable = 126;
inline constexpr int kExitNotFound = 127;

}  // namespace integcov
