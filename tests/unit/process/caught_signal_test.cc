#include "process/caught_signal.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <string>
#include <thread>

#include "unit/process/forked.h"

namespace integcov::process {
namespace {

TEST(CatchesSignal, IsFalseForAProcessThatIsNotThere) {
  EXPECT_FALSE(catches_signal(0x7fffffff, SIGTERM));
}

TEST(CatchesSignal, ReadsTheBitOfThatSignal) {
  EXPECT_EQ(in_a_child([] {
              signal(SIGHUP, [](int) {});
              signal(SIGRTMAX, [](int) {});
              signal(SIGUSR1, SIG_IGN);
              std::string result;
              for (const int number : {SIGHUP, SIGRTMAX, SIGUSR1, SIGINT}) {
                result += catches_signal(getpid(), number) ? 'y' : 'n';
              }
              return result;
            }),
            "yynn");
}

volatile pid_t got_it = 0;

void note_who(int) { got_it = gettid(); }

// "first", "other" or "nobody": which thread got a signal that is caught. `in_the_other`: what the
// second thread does before.
std::string who_gets(void (*in_the_other)()) {
  return in_a_child([&] {
    signal(SIGUSR1, note_who);
    std::atomic<pid_t> other = 0;
    std::atomic<bool> enough = false;
    std::thread thread([&] {
      in_the_other();
      other = gettid();
      while (!enough) usleep(1000);
    });
    while (other == 0) usleep(1000);
    const bool sent = send_to_second_thread(getpid(), SIGUSR1);
    if (sent) eventually([] { return got_it != 0; });
    enough = true;
    thread.join();
    if (!sent || got_it == 0) return std::string("nobody");
    return std::string(got_it == other ? "other" : "first");
  });
}

TEST(SendToSecondThread, GoesToAThreadThatAnExecEnds) {
  EXPECT_EQ(who_gets([] {}), "other");
}

TEST(SendToSecondThread, IsNotSentIfThatThreadBlocksIt) {
  EXPECT_EQ(who_gets([] {
              sigset_t set;
              sigemptyset(&set);
              sigaddset(&set, SIGUSR1);
              pthread_sigmask(SIG_BLOCK, &set, nullptr);
            }),
            "nobody");
}

// A process that has executed a program, which reads its stdin.
class SignalToAProgram : public testing::Test {
 protected:
  // The shell prints "got" for each signal, or is ended by it.
  std::string told(const std::string& trap, bool (*send)(pid_t, int)) {
    std::array<int, 2> in{};
    std::array<int, 2> out{};
    EXPECT_EQ(pipe2(in.data(), O_CLOEXEC), 0);
    EXPECT_EQ(pipe2(out.data(), O_CLOEXEC), 0);
    const pid_t pid = fork();
    if (pid == 0) {
      dup2(in[0], 0);
      dup2(out[1], 1);
      const std::string script = trap + "echo ready; read line";
      execl("/bin/sh", "sh", "-c", script.c_str(), nullptr);
      _exit(1);
    }
    close(in[0]);
    close(out[1]);
    std::string text(6, ' ');
    EXPECT_EQ(read(out[0], text.data(), text.size()), 6);
    const bool sent = send(pid, SIGUSR1);
    close(in[1]);
    text = (sent ? "sent " : "not sent ") + read_fd(out[0]);
    close(out[0]);
    int status = 0;
    waitpid(pid, &status, 0);
    return text + (WIFSIGNALED(status) ? "ended" : "lives");
  }
};

TEST_F(SignalToAProgram, ThatCatchesItIsSentAndElseNot) {
  EXPECT_EQ(told("trap 'echo got' USR1; ", send_if_caught), "sent got\nlives");
  EXPECT_EQ(told("", send_if_caught), "not sent lives");
  EXPECT_EQ(told("trap '' USR1; ", send_if_caught), "not sent lives");
}

TEST_F(SignalToAProgram, OfOneThreadIsNotSentToASecondOne) {
  EXPECT_EQ(told("trap 'echo got' USR1; ", send_to_second_thread), "not sent lives");
}

TEST(SendIfCaught, ToAProcessThatIsNotThereIsNotSent) {
  EXPECT_FALSE(send_if_caught(0x7fffffff, SIGTERM));
  EXPECT_FALSE(send_to_second_thread(0x7fffffff, SIGTERM));
}

}  // namespace
}  // namespace integcov::process
