#include "app/processes.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>

#include "app/snapshot_files.h"
#include "base/crc32c.h"
#include "base/encoding.h"
#include "event/loop.h"
#include "process/identity.h"
#include "unit/process/helper.h"
#include "unit/watch/temporary_folder.h"

namespace integcov::app {
namespace {

using process::Helper;
using supervise::ProcessesFound;

// As the handler in src/handler has it: of the auxiliary vector, 8 hex digits.
std::string checksum(pid_t pid) {
  const auto identity = process::identify(pid);
  std::array<char, 9> text{};
  std::snprintf(text.data(), text.size(), "%08x", crc32c(0, identity ? identity->image : ""));
  return text.data();
}

class ProcessesTest : public ::testing::Test {
 protected:
  ProcessesTest() {
    main_.exec_cat();
    child_.exec_cat();
    folder_.folder(".integcov");
  }
  void handler_writes(const std::string& kind, const std::string& text) {
    folder_.file(".integcov/" + kind + '.' + std::to_string(main_.pid()), text);
  }
  ProcessesFound::Process find(pid_t pid) {
    for (auto& process : find_processes(folder_.path(), main_.pid(), {}).processes) {
      if (process.pid == static_cast<std::uint32_t>(pid)) return process;
    }
    return {};
  }
  bool ready(const std::string& text) {
    handler_writes("ready", text);
    return find(main_.pid()).handler_signal == SIGUSR1;
  }

  Helper main_;
  Helper child_;
  watch::TemporaryFolder folder_;
};

TEST_F(ProcessesTest, TheProgramAndItsDescendantsAreFound) {
  const std::int64_t before = event::Loop::wall_now().time_since_epoch().count();
  const ProcessesFound found = find_processes(folder_.path(), main_.pid(), {});
  EXPECT_GE(found.end_ns, before);
  EXPECT_LE(found.end_ns, event::Loop::wall_now().time_since_epoch().count());
  const auto main = find(main_.pid());
  const auto child = find(child_.pid());
  EXPECT_TRUE(main.main);
  EXPECT_FALSE(child.main);
  EXPECT_EQ(main.image, image_of(main_.pid(), {}).text);
  EXPECT_EQ(child.image, image_of(child_.pid(), {}).text);
  EXPECT_EQ(main.handler_signal, 0);
  EXPECT_EQ(main.handler_error, "");
}

TEST_F(ProcessesTest, OneThatHasEndedOrOnlyForkedIsNot) {
  const Helper fork;
  EXPECT_EQ(find(fork.pid()).pid, 0U);
  const pid_t pid = child_.pid();
  child_.die();
  EXPECT_EQ(find(pid).pid, 0U) << "a zombie";
}

TEST_F(ProcessesTest, AHandlerIsReadyWhenItsFileIsOfThisImage) {
  const std::string sum = checksum(main_.pid());
  EXPECT_TRUE(ready("1\n10\n" + sum + '\n'));
  EXPECT_FALSE(ready("2\n10\n" + sum + '\n')) << "a format of the future";
  EXPECT_FALSE(ready("1\n10\n" + checksum(child_.pid()) + '\n')) << "an earlier process's";
  EXPECT_FALSE(ready("1\n10\n" + sum)) << "cut off";
  EXPECT_FALSE(ready("1\n10\n"));
  EXPECT_FALSE(ready(""));
  EXPECT_EQ(find(child_.pid()).handler_signal, 0);
}

TEST_F(ProcessesTest, WhatAHandlerSaysIsOneCleanLine) {
  const std::string sentence = "rebuild\x1b with -covermode=atomic\n";
  handler_writes("error", sentence + checksum(child_.pid()) + '\n');
  EXPECT_EQ(find(main_.pid()).handler_error, "") << "of an earlier process";
  handler_writes("error", sentence + checksum(main_.pid()) + '\n');
  EXPECT_EQ(find(main_.pid()).handler_error, printable("rebuild\x1b with -covermode=atomic"));
  EXPECT_EQ(find(child_.pid()).handler_error, "");
  ASSERT_TRUE(ready("1\n10\n" + checksum(main_.pid()) + '\n'));
  EXPECT_EQ(find(main_.pid()).handler_error, "") << "it is ready";
}

// ---- Signals ----

// A shell that answers the signal; its output is read to the end.
class Catcher {
 public:
  Catcher() {
    std::array<int, 2> output{};
    std::array<int, 2> input{};
    if (pipe2(output.data(), O_CLOEXEC) != 0 || pipe2(input.data(), O_CLOEXEC) != 0) abort();
    pid_ = fork();
    if (pid_ == 0) {
      dup2(input[0], 0);
      dup2(output[1], 1);
      execlp("sh", "sh", "-c", "trap 'echo got; exit' USR1; echo ready; while read x; do :; done",
             nullptr);
      _exit(127);
    }
    close(output[1]);
    close(input[0]);
    output_.reset(output[0]);
    input_.reset(input[1]);
    EXPECT_EQ(line(), "ready");
  }
  Catcher(const Catcher&) = delete;
  Catcher& operator=(const Catcher&) = delete;
  ~Catcher() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  [[nodiscard]] std::uint32_t pid() const { return static_cast<std::uint32_t>(pid_); }
  std::string line() {
    std::string text;
    for (char c = 0; read(output_.get(), &c, 1) == 1 && c != '\n';) text += c;
    return text;
  }

 private:
  pid_t pid_ = -1;
  UniqueFd output_;
  UniqueFd input_;
};

TEST(SignalSnapshot, IsSentToAProcessThatCatchesIt) {
  for (const bool main : {true, false}) {
    Catcher catcher;
    const std::int64_t before = event::Loop::wall_now().time_since_epoch().count();
    const auto answer = signal_snapshot({catcher.pid(), SIGUSR1},
                                        main ? static_cast<pid_t>(catcher.pid()) : getpid());
    EXPECT_TRUE(answer.sent);
    EXPECT_EQ(answer.pid, catcher.pid());
    EXPECT_GE(answer.at_ns, before);
    EXPECT_LE(answer.at_ns, event::Loop::wall_now().time_since_epoch().count());
    EXPECT_EQ(catcher.line(), "got");
  }
}

TEST(SignalSnapshot, IsKeptFromOneThatItWouldEnd) {
  for (const bool main : {true, false}) {
    Helper cat;
    cat.exec_cat();
    const auto pid = static_cast<std::uint32_t>(cat.pid());
    EXPECT_FALSE(signal_snapshot({pid, SIGUSR1}, main ? cat.pid() : getpid()).sent);
    Catcher catcher;
    EXPECT_FALSE(signal_snapshot({catcher.pid(), SIGUSR2}, main ? cat.pid() : getpid()).sent)
        << "it catches another one";
    cat.exec_cat();  // and lives
  }
}

TEST(SignalSnapshot, IsKeptFromStrangersAndTheDead) {
  struct sigaction caught{};
  struct sigaction before{};
  caught.sa_handler = [](int) {};
  sigaction(SIGUSR2, &caught, &before);
  const auto self = static_cast<std::uint32_t>(getpid());
  EXPECT_FALSE(signal_snapshot({self, SIGUSR2}, 1).sent) << "it catches it, but is no descendant";
  sigaction(SIGUSR2, &before, nullptr);

  Helper cat;
  cat.exec_cat();
  const auto pid = static_cast<std::uint32_t>(cat.pid());
  cat.die();
  EXPECT_FALSE(signal_snapshot({pid, SIGUSR1}, getpid()).sent);
  cat.end();
  EXPECT_FALSE(signal_snapshot({pid, SIGUSR1}, getpid()).sent);
}

}  // namespace
}  // namespace integcov::app
