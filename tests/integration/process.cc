#include "integration/process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <utility>

namespace integcov::test {

namespace fs = std::filesystem;

bool eventually(const std::function<bool()>& condition, std::chrono::milliseconds patience) {
  const auto until = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    usleep(2000);
  }
  return true;
}

TempDir::TempDir() {
  std::string name = (fs::temp_directory_path() / "integcov-test-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
  path_ = fs::canonical(name);
}

TempDir::~TempDir() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

std::string read_file(const fs::path& path) {
  const std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();  // an iterator throws if a file of /proc loses its process meanwhile
  return content.str();
}

void write_file(const fs::path& path, const std::string& bytes) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
}

bool is_record(const std::string& path) {
  const std::string name = path.substr(path.rfind('/') + 1);
  return name.starts_with("integcov.") && name.ends_with(".json");
}

std::map<std::string, std::string> read_tree(const fs::path& folder, Records records) {
  std::map<std::string, std::string> tree;
  if (!fs::exists(folder)) return tree;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const std::string name = entry.path().lexically_relative(folder).string();
    std::error_code gone;  // what a program writes may get another name meanwhile
    if (entry.is_symlink(gone) || !entry.is_regular_file(gone) || name.starts_with(".integcov/"))
      continue;
    if (records == Records::left_out && is_record(name)) continue;
    tree[name] = read_file(entry.path());
  }
  return tree;
}

Process::Process(std::vector<std::string> command, Options options)
    : started_(std::chrono::steady_clock::now()) {
  write_file(files_ / "in", options.input);
  const std::string in = (files_ / "in").string();
  const std::string out = (files_ / "out").string();
  const std::string err = (files_ / "err").string();

  std::vector<std::string> env;
  for (const char* name : {"PATH", "HOME"}) {
    const char* value = std::getenv(name);
    if (value != nullptr && !options.env.contains(name)) {
      env.push_back(std::string(name) + '=' + value);
    }
  }
  for (const auto& [name, value] : options.env) env.push_back(name + '=' + value);
  std::vector<char*> argv;
  for (std::string& word : command) argv.push_back(word.data());
  argv.push_back(nullptr);
  std::vector<char*> envp;
  for (std::string& variable : env) envp.push_back(variable.data());
  envp.push_back(nullptr);

  int ends[2] = {-1, -1};
  if (options.keep_stdin_open && pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
  pid_ = fork();
  if (pid_ == 0) {
    const int in_fd = options.keep_stdin_open ? ends[0] : open(in.c_str(), O_RDONLY);
    dup2(in_fd, 0);
    dup2(open(out.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600), 1);
    dup2(open(err.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600), 2);
    for (int fd = 3; fd < 256; ++fd) close(fd);
    if (!options.cwd.empty() && chdir(options.cwd.c_str()) != 0) _exit(99);
    if (options.before_exec) options.before_exec();
    execvpe(argv[0], argv.data(), envp.data());
    _exit(98);
  }
  if (ends[0] >= 0) close(ends[0]);
  stdin_ = ends[1];
}

Process::~Process() {
  close_stdin();
  if (!running()) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

std::string Process::out() const { return read_file(files_ / "out"); }
std::string Process::err() const { return read_file(files_ / "err"); }
void Process::send(int signal) const { kill(pid_, signal); }

void Process::feed(const std::string& text) {
  ASSERT_EQ(write(stdin_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
}

void Process::close_stdin() {
  if (stdin_ >= 0) close(std::exchange(stdin_, -1));
}

bool Process::running() {
  int status = 0;
  if (!status_ && waitpid(pid_, &status, WNOHANG) == pid_) status_ = status;
  return !status_;
}

Ended Process::wait() {
  if (!eventually([this] { return !running(); })) {
    ADD_FAILURE() << "the process did not end; its stderr:\n" << err();
    return {};
  }
  Ended ended;
  ended.took = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - started_);
  ended.code = WIFSIGNALED(*status_) ? 128 + WTERMSIG(*status_) : WEXITSTATUS(*status_);
  ended.out = out();
  ended.err = err();
  return ended;
}

Ended run(std::vector<std::string> command, Options options) {
  Process process(std::move(command), std::move(options));
  return process.wait();
}

}  // namespace integcov::test
