#include "process/spawn.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "unit/process/forked.h"

namespace integcov::process {
namespace {

namespace fs = std::filesystem;

class SpawnTest : public testing::Test {
 protected:
  SpawnTest() {
    std::string name = fs::temp_directory_path() / "integcov-spawn-XXXXXX";
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    dir_ = name;
  }
  ~SpawnTest() override { fs::remove_all(dir_); }

  [[nodiscard]] std::string file(const std::string& name, const std::string& text,
                                 fs::perms perms) const {
    std::ofstream(dir_ / name) << text;
    fs::permissions(dir_ / name, perms);
    return dir_ / name;
  }

  // The program's status and output, as the supervisor runs it; `before` is the parent's work.
  [[nodiscard]] std::string output(const std::vector<std::string>& command,
                                   const std::vector<std::string>& env = {},
                                   const std::function<void()>& before = {}) const {
    const std::string out = dir_ / "out";
    const std::string how = in_a_child([&] {
      if (before) before();
      dup2(open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), 1);
      const Inherited inherited = take_over();
      const Words argv(command);
      const Words envp(env);
      const JobControl job_control;
      const auto child = spawn({argv.get(), envp.get()}, inherited, job_control);
      if (const auto* error = std::get_if<SpawnError>(&child)) return error->message;
      int status = 0;
      waitpid(std::get<pid_t>(child), &status, 0);
      return "status " + std::to_string(WIFEXITED(status) ? WEXITSTATUS(status) : -1);
    });
    EXPECT_EQ(how, "status 0");
    std::ifstream text(out, std::ios::binary);
    return {std::istreambuf_iterator<char>(text), {}};
  }

  fs::path dir_;
};

// "CODE MESSAGE" of a program that can't be started, and whether a child was left behind.
std::string failure(const std::string& program) {
  return in_a_child([&] {
    const Inherited inherited = take_over();
    const Words argv({program});
    const Words envp({});
    const JobControl job_control;
    const auto child = spawn({argv.get(), envp.get()}, inherited, job_control);
    const auto* error = std::get_if<SpawnError>(&child);
    if (error == nullptr) return std::string("it runs");
    const bool alone = waitpid(-1, nullptr, WNOHANG) < 0 && errno == ECHILD;
    return std::to_string(error->exit_code) + ' ' + error->message + (alone ? "" : " (zombie)");
  });
}

TEST_F(SpawnTest, PassesArgumentsAndEnvironmentAsTheyAre) {
  EXPECT_EQ(output({"printf", "[%s]", "a b", "", "\xff\n", "$HOME"}), "[a b][][\xff\n][$HOME]");
  EXPECT_EQ(output({"env"}, {"A=", "B=x y", "A=again", "\xff=\xfe", "odd"}),
            "A=\nB=x y\nA=again\n\xff=\xfe\nodd\n");
}

TEST_F(SpawnTest, TheProgramFindsNothingBlockedAndIgnoredWhatTheParentIgnored) {
  const std::vector<std::string> look{"grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status"};
  const std::string none = "0000000000000000\n";
  EXPECT_EQ(output(look), "SigBlk:\t" + none + "SigIgn:\t" + none);
  EXPECT_EQ(output(look, {},
                   [] {
                     signal(SIGHUP, SIG_IGN);
                     signal(SIGCHLD, SIG_IGN);
                   }),
            "SigBlk:\t" + none + "SigIgn:\t0000000000010001\n");
}

TEST_F(SpawnTest, TheProgramGetsTheParentsFdsAndNoneOfOurs) {
  const std::string plain = output({"ls", "/proc/self/fd"});
  EXPECT_EQ(output({"ls", "/proc/self/fd"}, {}, [] { dup2(1, 77); }), plain + "77\n");
}

TEST_F(SpawnTest, TheChildHasAProcessGroupOfItsOwn) {
  EXPECT_EQ(in_a_child(
                [] {
                  const Inherited inherited = take_over();
                  const Words argv({"sleep", "60"});
                  const Words envp({});
                  const JobControl job_control;
                  const auto child = spawn({argv.get(), envp.get()}, inherited, job_control);
                  const pid_t pid = std::get<pid_t>(child);
                  const bool own = getpgid(pid) == pid && getpgrp() != pid;
                  kill(pid, SIGKILL);
                  waitpid(pid, nullptr, 0);
                  return std::string(own ? "own" : "ours");
                },
                lead_a_session),
            "own");
}

TEST_F(SpawnTest, SaysWhyAProgramCannotBeRunAndLeavesNoChild) {
  EXPECT_EQ(failure("no-such-program"),
            "127 cannot run \"no-such-program\": no program of that name is in PATH");
  EXPECT_EQ(failure("/no/such\n"), "127 cannot run \"/no/such\\x0a\": there is no such file");
  EXPECT_EQ(failure("/etc/passwd/x"), "127 cannot run \"/etc/passwd/x\": there is no such file");
  EXPECT_EQ(failure(""), "127 cannot run \"\": no program of that name is in PATH");
  EXPECT_EQ(failure("/tmp"), "126 cannot run \"/tmp\": Permission denied");
  const std::string text = file("text", "hello", fs::perms::owner_read);
  EXPECT_EQ(failure(text), "126 cannot run \"" + text + "\": Permission denied");
  const std::string lost = file("lost", "#!/no/such/interpreter\n", fs::perms::owner_all);
  EXPECT_EQ(failure(lost), "127 cannot run \"" + lost +
                               "\": the file is there, but the interpreter or dynamic loader that "
                               "it names is not");
}

TEST_F(SpawnTest, OurOwnTroubleIsNotTheProgramsFault) {
  EXPECT_EQ(on_a_terminal([] {
              const Inherited inherited = take_over();
              const Words argv({"true"});
              const Words envp({});
              const JobControl job_control;
              const rlimit few{.rlim_cur = 3, .rlim_max = 3};
              setrlimit(RLIMIT_NOFILE, &few);
              const auto child = spawn({argv.get(), envp.get()}, inherited, job_control);
              const auto* error = std::get_if<SpawnError>(&child);
              if (error == nullptr) return std::string("it runs");
              return std::to_string(error->exit_code) + ' ' + error->message;
            }),
            "125 cannot start the program: pipe: Too many open files");
}

TEST_F(SpawnTest, WhatIsPendingForUsStaysWithUs) {
  EXPECT_EQ(in_a_child([] {
              const Inherited inherited = take_over();
              raise(SIGTERM);
              const Words argv({"true"});
              const Words envp({});
              const auto child = spawn({argv.get(), envp.get()}, inherited, JobControl());
              int status = -1;
              waitpid(std::get<pid_t>(child), &status, 0);
              sigset_t pending;
              sigpending(&pending);
              return std::to_string(status) +
                     (sigismember(&pending, SIGTERM) == 1 ? " pending" : " lost");
            }),
            "0 pending");
}

// The first child of `parent`, 0 if there is none yet.
pid_t child_of(pid_t parent) {
  const std::string number = std::to_string(parent);
  std::ifstream children("/proc/" + number + "/task/" + number + "/children");
  pid_t child = 0;
  children >> child;
  return child;
}

TEST_F(SpawnTest, AChildThatIsStoppedBeforeItsExecIsContinuedBySigcont) {
  // A PATH of many folders makes the exec take long enough.
  std::string path;
  for (int i = 0; i < 200'000; ++i) path += "/no/such/folder/" + std::to_string(i) + ':';
  int terminal = -1;
  const pid_t parent = forkpty(&terminal, nullptr, nullptr, nullptr);
  if (parent == 0) {
    setenv("PATH", (path + "/usr/bin:/bin").c_str(), 1);
    const Inherited inherited = take_over();
    const Words argv({"true"});
    const Words envp({});
    const auto child = spawn({argv.get(), envp.get()}, inherited, JobControl());
    int status = -1;
    const auto* pid = std::get_if<pid_t>(&child);
    if (pid != nullptr) waitpid(*pid, &status, 0);
    _exit(status == 0 ? 0 : 1);
  }
  pid_t child = 0;
  ASSERT_TRUE(eventually([&] { return (child = child_of(parent)) != 0; }));
  kill(child, SIGSTOP);
  ASSERT_TRUE(eventually([&] { return state_of(child) == 'T'; }));
  int status = -1;
  EXPECT_TRUE(eventually([&] {
    kill(parent, SIGCONT);  // one that comes before it has seen the stop is lost
    return waitpid(parent, &status, WNOHANG) == parent;
  }));
  EXPECT_EQ(status, 0);
  if (status != 0) kill(parent, SIGKILL);
  close(terminal);
}

// How a process ends that becomes the program.
int become_status(const std::vector<std::string>& command, const std::function<void()>& before) {
  const pid_t pid = fork();
  if (pid == 0) {
    const Inherited inherited = take_over();
    before();
    const Words argv(command);
    const Words envp({"PATH=/usr/bin:/bin"});
    _exit(become({argv.get(), envp.get()}, inherited).exit_code);
  }
  int status = 0;
  waitpid(pid, &status, 0);
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

TEST_F(SpawnTest, BecomeReplacesUsOrSaysWhyNot) {
  EXPECT_EQ(become_status({"sh", "-c", "exit 5"}, [] {}), 5);
  EXPECT_EQ(become_status({"no-such-program"}, [] {}), 127);
  EXPECT_EQ(become_status({"/tmp"}, [] {}), 126);
}

TEST_F(SpawnTest, BecomeHandsOverWhatIsPendingButNotOurOwnSigpipe) {
  EXPECT_EQ(become_status({"sh", "-c", "exit 5"}, [] { raise(SIGTERM); }), 128 + SIGTERM);
  EXPECT_EQ(become_status({"sh", "-c", "exit 5"}, [] { raise(SIGPIPE); }), 5);
  EXPECT_EQ(become_status({"sh", "-c", "exit 5"},
                          [] {
                            const pid_t sender = fork();
                            if (sender == 0) _exit(kill(getppid(), SIGPIPE));
                            waitpid(sender, nullptr, 0);
                          }),
            128 + SIGPIPE);
}

}  // namespace
}  // namespace integcov::process
