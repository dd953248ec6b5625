#include "process/caught_signal.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <unistd.h>

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
    const bool sent = send_if_caught(getpid(), SIGUSR1);
    if (sent) eventually([] { return got_it != 0; });
    enough = true;
    thread.join();
    if (!sent || got_it == 0) return std::string("nobody");
    return std::string(got_it == other ? "other" : "first");
  });
}

TEST(SendIfCaught, GoesToAThreadThatAnExecEnds) {
  EXPECT_EQ(who_gets([] {}), "other");
}

TEST(SendIfCaught, GoesToTheProcessIfThatThreadBlocksIt) {
  EXPECT_EQ(who_gets([] {
              sigset_t set;
              sigemptyset(&set);
              sigaddset(&set, SIGUSR1);
              pthread_sigmask(SIG_BLOCK, &set, nullptr);
            }),
            "first");
}

TEST(SendIfCaught, GoesToTheOnlyThreadToo) {
  EXPECT_EQ(in_a_child([] {
              signal(SIGUSR1, note_who);
              if (!send_if_caught(getpid(), SIGUSR1)) return "not sent";
              return got_it == getpid() ? "caught" : "lost";
            }),
            "caught");
}

TEST(SendIfCaught, IsNotSentToWhomItWouldEnd) {
  EXPECT_EQ(in_a_child([] {
              std::string result;
              for (void (*action)(int) : {SIG_DFL, SIG_IGN}) {
                signal(SIGUSR1, action);
                result += send_if_caught(getpid(), SIGUSR1) ? "sent " : "not sent ";
              }
              return result;
            }),
            "not sent not sent ");
  EXPECT_FALSE(send_if_caught(0x7fffffff, SIGTERM));
}

}  // namespace
}  // namespace integcov::process
