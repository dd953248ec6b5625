// The program on a terminal, below a shell with job control and without one.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>

#include "integration/parts.h"

namespace integcov::test {
namespace {

// What a shell does for one foreground job: tells "stopped" and "ended CODE", and by "f" brings it
// back to the foreground. Whether the job had the terminal's foreground then follows.
[[noreturn]] void act_as_shell(char* const* argv, int events, int commands) {
  signal(SIGTTOU, SIG_IGN);
  const pid_t job = fork();
  if (job == 0) {
    setpgid(0, 0);
    tcsetpgrp(0, getpid());
    signal(SIGTTOU, SIG_DFL);
    execv(argv[0], argv);
    _exit(98);
  }
  setpgid(job, job);
  tcsetpgrp(0, job);
  const auto tell = [&](const std::string& event) {
    const bool had_terminal = tcgetpgrp(0) == job;
    const std::string line = event + (had_terminal ? " with the terminal\n" : " without it\n");
    tcsetpgrp(0, getpgrp());
    if (write(events, line.data(), line.size()) < 0) _exit(97);
  };
  const std::string started = "started " + std::to_string(job) + "\n";
  if (write(events, started.data(), started.size()) < 0) _exit(97);
  while (true) {
    int status = 0;
    if (waitpid(job, &status, WUNTRACED) != job) _exit(96);
    if (!WIFSTOPPED(status)) {
      tell("ended " +
           std::to_string(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status)));
      _exit(0);
    }
    tell("stopped");
    char command = 0;
    if (read(commands, &command, 1) != 1) _exit(95);
    tcsetpgrp(0, job);
    kill(-job, SIGCONT);
  }
}

class Terminal {
 public:
  enum class Above { shell, nothing };

  Terminal(Above above, std::vector<std::string> command) {
    std::vector<char*> argv;
    for (std::string& word : command) argv.push_back(word.data());
    argv.push_back(nullptr);
    std::array<int, 2> events{};
    std::array<int, 2> commands{};
    EXPECT_EQ(pipe2(events.data(), O_CLOEXEC), 0);
    EXPECT_EQ(pipe2(commands.data(), O_CLOEXEC), 0);
    pid_ = forkpty(&master_, nullptr, nullptr, nullptr);
    if (pid_ == 0) {
      setenv("GOCOVERDIR", (dir_ / "cov").c_str(), 1);
      if (above == Above::nothing) {
        execv(argv[0], argv.data());
        _exit(98);
      }
      act_as_shell(argv.data(), events[1], commands[0]);
    }
    close(events[1]);
    close(commands[0]);
    events_ = events[0];
    commands_ = commands[1];
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  ~Terminal() {
    close(master_);  // hangs up: whoever is left gets SIGHUP
    close(events_);
    close(commands_);
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }

  void type(const std::string& text) const {
    ASSERT_EQ(write(master_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  void foreground() const { ASSERT_EQ(write(commands_, "f", 1), 1); }

  // Waits until the screen shows the text after what was shown before; the part up to it.
  std::string shows(const std::string& text) { return take(master_, screen_, text); }
  // The next line of the shell's.
  std::string event() {
    std::string line = take(events_, told_, "\n");
    if (line.starts_with("started ")) job_ = std::stoi(line.substr(8));
    return line;
  }
  [[nodiscard]] pid_t wrapper() const { return job_ != 0 ? job_ : pid_; }
  // Without a shell: its status.
  [[nodiscard]] int wait() const {
    int status = -1;
    const bool ended = eventually([&] { return waitpid(pid_, &status, WNOHANG) == pid_; });
    return ended && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  static std::string take(int fd, std::string& buffer, const std::string& text) {
    std::size_t at = 0;
    while ((at = buffer.find(text)) == std::string::npos) {
      pollfd readable{.fd = fd, .events = POLLIN, .revents = 0};
      std::array<char, 4096> bytes{};
      const int ready =
          poll(&readable, 1, static_cast<int>(kPatience / std::chrono::milliseconds(1)));
      const ssize_t got = ready > 0 ? read(fd, bytes.data(), bytes.size()) : -1;
      if (got <= 0) {
        ADD_FAILURE() << "no \"" << text << "\" after: " << buffer;
        return std::exchange(buffer, "");
      }
      buffer.append(bytes.data(), static_cast<std::size_t>(got));
    }
    std::string result = buffer.substr(0, at + text.size());
    buffer.erase(0, at + text.size());
    return result;
  }

  TempDir dir_;
  pid_t pid_ = -1;
  pid_t job_ = 0;
  int master_ = -1;
  int events_ = -1;
  int commands_ = -1;
  std::string screen_;
  std::string told_;
};

pid_t child_of(pid_t parent) {
  const std::string number = std::to_string(parent);
  const std::string children = read_file("/proc/" + number + "/task/" + number + "/children");
  return children.empty() ? 0 : std::stoi(children);
}

char state_of(pid_t pid) {
  const std::string stat = read_file("/proc/" + std::to_string(pid) + "/stat");
  const std::size_t at = stat.rfind(") ");
  return at == std::string::npos ? '-' : stat[at + 2];
}

// We have stepped out of the job again: until then a signal to the job's group comes twice
// (docs/decisions/0009).
bool are_apart(pid_t wrapper, pid_t child) {
  return eventually([&] { return getpgid(wrapper) != getpgid(child); });
}

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t n = 0;
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; ++at) ++n;
  return n;
}

TEST(Terminal, CtrlCReachesTheProgramOnce) {
  Terminal terminal(Terminal::Above::shell,
                    {go_integcov(), program("sleeper"), "-print-signals", "-until", "SIGTERM"});
  EXPECT_TRUE(terminal.event().starts_with("started"));
  terminal.shows("ready");
  std::string screen;
  for (int i = 0; i < 5; ++i) {
    terminal.type("\x03");
    screen += terminal.shows("SIGINT");
  }
  kill(terminal.wrapper(), SIGTERM);
  screen += terminal.shows("SIGTERM");
  EXPECT_EQ(count(screen, "SIGINT"), 5U) << screen;
  EXPECT_EQ(terminal.event(), "ended 0 with the terminal\n");
}

TEST(Terminal, CtrlZStopsUsAndTheProgramAndFgResumesBoth) {
  Terminal terminal(Terminal::Above::shell, {go_integcov(), program("sleeper"), "-for", "50s"});
  EXPECT_TRUE(terminal.event().starts_with("started"));
  terminal.shows("ready");
  const pid_t child = child_of(terminal.wrapper());
  EXPECT_TRUE(are_apart(terminal.wrapper(), child));
  for (int round = 0; round < 3; ++round) {
    terminal.type("\x1a");
    EXPECT_EQ(terminal.event(), "stopped with the terminal\n");
    EXPECT_EQ(state_of(terminal.wrapper()), 'T');
    EXPECT_EQ(state_of(child), 'T');
    terminal.foreground();
    EXPECT_TRUE(eventually([&] { return state_of(child) != 'T'; }));
    EXPECT_NE(state_of(terminal.wrapper()), 'T');
    EXPECT_TRUE(are_apart(terminal.wrapper(), child));
  }
  EXPECT_TRUE(eventually([&] { return getpgid(child) == terminal.wrapper(); }));
  terminal.type("\x03");
  EXPECT_EQ(terminal.event(), "ended 0 with the terminal\n");
}

TEST(Terminal, TheProgramReadsWhatIsTyped) {
  Terminal terminal(Terminal::Above::shell, {go_integcov(), "/bin/cat"});
  EXPECT_TRUE(terminal.event().starts_with("started"));
  terminal.type("typed\n");
  terminal.shows("typed");  // the echo
  terminal.shows("typed");
  terminal.type("\x04");
  EXPECT_EQ(terminal.event(), "ended 0 with the terminal\n");
}

TEST(Terminal, AProgramThatCannotBeRunLeavesTheTerminalToTheCaller) {
  Terminal terminal(Terminal::Above::nothing,
                    {"/bin/sh", "-c", go_integcov() + " no-such-program; read x; exit $x"});
  terminal.shows("no-such-program");
  terminal.type("17\n");
  EXPECT_EQ(terminal.wait(), 17);
}

TEST(Terminal, WithoutAShellNobodyWouldResumeUsAndCtrlZDoesNothing) {
  Terminal terminal(Terminal::Above::nothing, {go_integcov(), "/bin/cat"});
  terminal.type("one\n");
  terminal.shows("one");
  terminal.shows("one");
  terminal.type("\x1a");
  terminal.shows("^Z");
  terminal.type("two\n");
  terminal.shows("two");
  terminal.shows("two");
  terminal.type("\x04");
  EXPECT_EQ(terminal.wait(), 0);
}

TEST(Terminal, AStopBySigtstpToUsStopsBoth) {
  Terminal terminal(Terminal::Above::shell, {go_integcov(), program("sleeper"), "-for", "50s"});
  EXPECT_TRUE(terminal.event().starts_with("started"));
  terminal.shows("ready");
  const pid_t child = child_of(terminal.wrapper());
  kill(terminal.wrapper(), SIGTSTP);
  EXPECT_EQ(terminal.event(), "stopped with the terminal\n");
  EXPECT_EQ(state_of(child), 'T');
  kill(terminal.wrapper(), SIGTERM);  // waits for the continuation
  terminal.foreground();
  EXPECT_EQ(terminal.event(), "ended 0 with the terminal\n");
}

}  // namespace
}  // namespace integcov::test
