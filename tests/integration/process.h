// Child processes of the integration tests. Output goes to files, so nothing blocks and no reader
// is needed; waiting is on conditions with a generous upper bound, never on a fixed time.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace integcov::test {

inline constexpr std::chrono::seconds kPatience{60};

// Polls until `condition` holds; false if it doesn't within `patience`.
bool eventually(const std::function<bool()>& condition,
                std::chrono::milliseconds patience = kPatience);

class TempDir {
 public:
  TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir();

  [[nodiscard]] std::filesystem::path path() const { return path_; }
  [[nodiscard]] std::filesystem::path operator/(const std::string& name) const {
    return path_ / name;
  }

 private:
  std::filesystem::path path_;
};

std::string read_file(const std::filesystem::path& path);
void write_file(const std::filesystem::path& path, const std::string& bytes);

// What go-integcov itself writes beside the program's files: integcov.RUN.start.json and .end.json.
enum class Records { left_out, included };
bool is_record(const std::string& path);

// Name below `folder` -> content of every regular file, .integcov left out.
std::map<std::string, std::string> read_tree(const std::filesystem::path& folder,
                                             Records records = Records::left_out);

struct Options {
  std::map<std::string, std::string> env;  // the whole environment but PATH and HOME
  std::filesystem::path cwd;               // empty: the test's own
  std::string input;                       // stdin
  std::function<void()> before_exec;       // in the child: limits, ignored signals, …
  bool keep_stdin_open = false;            // stdin is a pipe, see feed()
};

struct Ended {
  int code = -1;  // as a shell has it: 128 + signal
  std::string out;
  std::string err;
  std::chrono::milliseconds took{};
};

class Process {
 public:
  explicit Process(std::vector<std::string> command, Options options = {});
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process();  // kills it with SIGKILL if it is still there

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] std::string out() const;
  [[nodiscard]] std::string err() const;
  void send(int signal) const;
  void feed(const std::string& text);
  void close_stdin();
  // Fails the test if it doesn't end within kPatience.
  Ended wait();
  [[nodiscard]] bool running();

 private:
  TempDir files_;
  pid_t pid_ = -1;
  int stdin_ = -1;
  std::optional<int> status_;
  std::chrono::steady_clock::time_point started_;
};

Ended run(std::vector<std::string> command, Options options = {});

}  // namespace integcov::test
