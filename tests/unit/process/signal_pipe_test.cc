#include "process/signal_pipe.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <map>
#include <utility>

#include "process/inherited.h"
#include "unit/process/forked.h"

namespace integcov::process {
namespace {

pid_t sent_from_another(const std::vector<int>& signals) {
  const pid_t sender = fork();
  if (sender == 0) {
    for (const int signal : signals) kill(getppid(), signal);
    _exit(0);
  }
  return sender;
}

void get_from_another(const std::vector<int>& signals) {
  waitpid(sent_from_another(signals), nullptr, 0);
}

// What comes until the signal `last` does, but for the senders' ends.
std::string arrivals(SignalPipe& signals, int last) {
  std::map<int, int> counts;
  while (counts[last] == 0) {
    pollfd readable{.fd = signals.fd(), .events = POLLIN, .revents = 0};
    if (poll(&readable, 1, kPatienceMs) == 0) return "(hangs)";
    signals.drain([&](const siginfo_t& info) { ++counts[info.si_signo]; });
  }
  std::string text;
  for (const auto& [signal, count] : counts) {
    if (signal != SIGCHLD) text += std::to_string(signal) + 'x' + std::to_string(count) + ' ';
  }
  return text;
}

TEST(SignalPipe, GetsWhatCameBeforeItAndAfter) {
  EXPECT_EQ(in_a_child([] {
              take_over();
              get_from_another({SIGHUP, SIGTERM, SIGTSTP, SIGRTMIN + 1, SIGRTMAX});
              SignalPipe signals;
              std::string text = arrivals(signals, SIGRTMAX);
              get_from_another({SIGINT, SIGURG, SIGRTMAX});
              return text + "then " + arrivals(signals, SIGRTMAX);
            }),
            "1x1 15x1 20x1 35x1 64x1 then 2x1 23x1 64x1 ");
}

TEST(SignalPipe, KeepsTheCountOfRealTimeSignalsInAStorm) {
  EXPECT_EQ(in_a_child([] {
              take_over();
              SignalPipe signals;
              std::vector<int> many(1000, SIGRTMIN + 5);
              many.push_back(SIGRTMAX);
              sent_from_another(many);  // while we read
              return arrivals(signals, SIGRTMAX);
            }),
            "39x1000 64x1 ");
}

TEST(SignalPipe, KnowsTheSender) {
  EXPECT_EQ(in_a_child([] {
              take_over();
              SignalPipe signals;
              const pid_t sender = sent_from_another({SIGUSR1});
              waitpid(sender, nullptr, 0);
              raise(SIGUSR2);
              std::string text;
              signals.drain([&](const siginfo_t& info) {
                if (info.si_signo == SIGUSR1) text += info.si_pid == sender ? "theirs " : "? ";
                if (info.si_signo == SIGUSR2) text += info.si_pid == getpid() ? "ours" : "?";
              });
              return text;
            }),
            "theirs ours");
}

TEST(SignalPipe, KeepsTheValueThatASignalCameWith) {
  EXPECT_EQ(in_a_child([] {
              take_over();
              SignalPipe signals;
              const pid_t sender = fork();
              if (sender == 0) {
                sigval value{};
                value.sival_int = 4711;
                _exit(sigqueue(getppid(), SIGUSR1, value));
              }
              waitpid(sender, nullptr, 0);
              std::string text;
              signals.drain([&](const siginfo_t& info) {
                if (info.si_signo != SIGUSR1) return;
                text += info.si_code == SI_QUEUE ? "queued " : "? ";
                text += std::to_string(info.si_value.sival_int);
              });
              return text;
            }),
            "queued 4711");
}

TEST(SignalPipe, LeavesNothingBehind) {
  EXPECT_EQ(in_a_child([] {
              signal(SIGHUP, SIG_IGN);
              take_over();
              sigset_t before;
              sigprocmask(SIG_SETMASK, nullptr, &before);
              {
                const SignalPipe signals;
                get_from_another({SIGUSR1, SIGTERM});
              }
              sigset_t now;
              sigset_t pending;
              sigprocmask(SIG_SETMASK, nullptr, &now);
              sigpending(&pending);
              std::string text;
              for (int number = 1; number <= SIGRTMAX; ++number) {
                if (sigismember(&before, number) != sigismember(&now, number)) text += "mask ";
                if (sigismember(&pending, number) == 1) text += std::to_string(number) + ' ';
                struct sigaction action{};
                sigaction(number, nullptr, &action);
                const bool ignored = action.sa_handler == SIG_IGN;
                if (ignored != (number == SIGHUP)) text += "disposition ";
              }
              siginfo_t info{};
              sigset_t usr1;
              sigemptyset(&usr1);
              sigaddset(&usr1, SIGUSR1);
              sigwaitinfo(&usr1, &info);
              return text + (info.si_pid == getpid() ? "from us" : "from the other");
            }),
            "10 15 17 from the other");
}

TEST(SignalPipe, ThrowsWhenTheKernelHasNoFd) {
  EXPECT_EQ(in_a_child([] {
              take_over();
              const rlimit none{.rlim_cur = 0, .rlim_max = 0};
              setrlimit(RLIMIT_NOFILE, &none);
              const SignalPipe signals;
              return std::string("made");
            }),
            "threw: cannot make a pipe for signals: Too many open files");
}

}  // namespace
}  // namespace integcov::process
