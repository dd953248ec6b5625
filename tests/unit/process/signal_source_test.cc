#include "process/signal_source.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <map>
#include <optional>

#include "event/loop.h"
#include "event/timer.h"
#include "process/inherited.h"
#include "unit/process/forked.h"

namespace integcov::process {
namespace {

// Another process sends us these, and is gone.
void get_from_another(const std::vector<int>& signals) {
  const pid_t sender = fork();
  if (sender == 0) {
    for (const int signal : signals) kill(getppid(), signal);
    _exit(0);
  }
  waitpid(sender, nullptr, 0);
}

// What arrives at the source until the signal `last` does; SIGCHLD is the sender's end.
std::map<int, int> arrivals(event::Loop& loop, int last) {
  std::map<int, int> counts;
  SignalSource source(loop, [&](SignalSource::Received received) {
    if (received.signal != SIGCHLD) ++counts[received.signal];
    if (received.signal == last) loop.stop();
  });
  loop.run();
  return counts;
}

std::string described(const std::map<int, int>& counts) {
  std::string text;
  for (const auto& [signal, count] : counts) {
    text += std::to_string(signal) + (count == 1 ? "" : 'x' + std::to_string(count)) + ' ';
  }
  return text;
}

TEST(SignalSource, LeavesOthersTheirTurnWhileManyWait) {
  EXPECT_EQ(in_a_child([] {
              take_over();
              get_from_another(std::vector<int>(100, SIGRTMAX));
              event::Loop loop;
              int arrived = 0;
              std::string so_far;
              event::Timer turn(loop, [&] {
                so_far = arrived < 100 ? "some" : "all";
                loop.stop();
              });
              const SignalSource source(loop, [&](SignalSource::Received received) {
                if (received.signal == SIGRTMAX && ++arrived == 1) turn.arm(Duration::zero());
              });
              loop.run();
              return so_far;
            }),
            "some");
}

TEST(SignalSource, GetsEverySignalAlsoThoseThatCameBeforeIt) {
  std::vector<int> all;
  std::map<int, int> expected;
  for (int signal = 1; signal <= SIGRTMAX; ++signal) {
    const bool fault = signal == SIGSEGV || signal == SIGBUS || signal == SIGFPE ||
                       signal == SIGILL || signal == SIGTRAP || signal == SIGSYS ||
                       signal == SIGABRT;
    // A stop signal takes SIGCONT off the queue and the reverse: stops have a test of their own.
    const bool stop = signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
    const bool cannot = signal == SIGKILL || signal == SIGSTOP;
    const bool of_the_c_library = signal >= 32 && signal < SIGRTMIN;
    if (fault || stop || cannot || of_the_c_library || signal == SIGCHLD) continue;
    all.push_back(signal);
    expected[signal] = 1;
  }
  EXPECT_EQ(in_a_child([&] {
              take_over();
              get_from_another(all);
              event::Loop loop;
              return described(arrivals(loop, SIGRTMAX));
            }),
            described(expected));
}

TEST(SignalSource, GetsTheStopSignals) {
  EXPECT_EQ(in_a_child([] {
              take_over();
              get_from_another({SIGTSTP, SIGTTIN, SIGTTOU, SIGRTMAX});
              event::Loop loop;
              return described(arrivals(loop, SIGRTMAX));
            }),
            described({{SIGTSTP, 1}, {SIGTTIN, 1}, {SIGTTOU, 1}, {SIGRTMAX, 1}}));
}

TEST(SignalSource, KeepsTheCountOfRealTimeSignals) {
  std::vector<int> many(100, SIGRTMIN + 5);  // more than one read takes
  many.push_back(SIGRTMAX);
  EXPECT_EQ(in_a_child([&] {
              take_over();
              get_from_another(many);
              event::Loop loop;
              return described(arrivals(loop, SIGRTMAX));
            }),
            described({{SIGRTMIN + 5, 100}, {SIGRTMAX, 1}}));
}

TEST(SignalSource, LeavesOutWhatWeRaisedOurselves) {
  EXPECT_EQ(in_a_child([] {
              take_over();
              std::array<int, 2> ends{};
              if (pipe(ends.data()) != 0) return std::string("pipe");
              close(ends[0]);
              if (write(ends[1], "x", 1) >= 0) return std::string("written");  // SIGPIPE
              raise(SIGUSR1);
              kill(0, SIGTSTP);
              get_from_another({SIGUSR2, SIGRTMAX});
              event::Loop loop;
              return described(arrivals(loop, SIGRTMAX));
            }),
            described({{SIGUSR2, 1}, {SIGRTMAX, 1}}));
}

TEST(SignalSource, ASigpipeFromAnotherProcessIsToldLikeAnyOther) {
  EXPECT_EQ(in_a_child([] {
              take_over();
              get_from_another({SIGPIPE, SIGRTMAX});
              event::Loop loop;
              return described(arrivals(loop, SIGRTMAX));
            }),
            described({{SIGPIPE, 1}, {SIGRTMAX, 1}}));
}

TEST(SignalSource, TellsOfAChildThatEndedBeforeItWasMadeEvenWithoutAnythingElse) {
  EXPECT_EQ(in_a_child([] {
              take_over();
              const pid_t child = fork();
              if (child == 0) _exit(0);
              siginfo_t info{};
              waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT);
              event::Loop loop;
              int got = 0;
              SignalSource source(loop, [&](SignalSource::Received received) {
                got = received.signal;
                loop.stop();
              });
              loop.run();
              return std::to_string(got);
            }),
            std::to_string(SIGCHLD));
}

TEST(SignalSource, ASourceThatNeverRanTakesNothingAway) {
  EXPECT_EQ(in_a_child([] {
              take_over();
              get_from_another({SIGTERM});
              {
                event::Loop loop;
                const SignalSource source(loop, [](SignalSource::Received) {});
              }
              sigset_t pending;
              sigpending(&pending);
              return std::to_string(sigismember(&pending, SIGTERM)) +
                     std::to_string(sigismember(&pending, SIGCHLD));
            }),
            "11");
}

TEST(SignalSource, TellsARequestForAFlushFromOtherSignals) {
  EXPECT_EQ(in_a_child([] {
              take_over();
              const pid_t sender = fork();
              if (sender == 0) {
                kill(getppid(), SIGUSR1);
                for (const int value : {0, kFlushRequest}) {
                  sigval with{};
                  with.sival_int = value;
                  sigqueue(getppid(), value == 0 ? SIGUSR2 : SIGHUP, with);
                }
                kill(getppid(), SIGRTMAX);
                _exit(0);
              }
              waitpid(sender, nullptr, 0);
              event::Loop loop;
              std::map<int, bool> requests;
              const SignalSource source(loop, [&](SignalSource::Received received) {
                requests[received.signal] = received.flush_request;
                if (received.signal == SIGRTMAX) loop.stop();
              });
              loop.run();
              std::string text;
              for (const int signal : {SIGUSR1, SIGUSR2, SIGHUP}) {
                text += requests.contains(signal) && requests[signal] ? "a request " : "none ";
              }
              return text;
            }),
            "none none a request ");
}

TEST(SignalSource, ThrowsWhenTheKernelHasNoFd) {
  const std::string result = in_a_child([] {
    take_over();
    event::Loop loop;
    const rlimit none{.rlim_cur = 0, .rlim_max = 0};
    setrlimit(RLIMIT_NOFILE, &none);
    const SignalSource source(loop, [](SignalSource::Received) {});
    return std::string("made");
  });
  EXPECT_TRUE(result.starts_with("threw: cannot make a")) << result;
}

}  // namespace
}  // namespace integcov::process
