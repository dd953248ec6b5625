#include "process/reaper.h"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "unit/process/forked.h"

namespace integcov::process {
namespace {

pid_t child_that(const std::function<void()>& acts) {
  const pid_t pid = fork();
  if (pid == 0) {
    acts();
    _exit(0);
  }
  return pid;
}

void wait_for_ever() {
  while (true) pause();
}

std::string described(const ExitStatus& status) {
  return (status.signaled ? "signal " : "code ") + std::to_string(status.value);
}

TEST(Reap, FindsTheMainChildAmongHundreds) {
  EXPECT_EQ(in_a_child([] {
              for (int i = 0; i < 150; ++i) child_that([] { _exit(1); });
              const pid_t main_child = child_that([] { _exit(42); });
              for (int i = 0; i < 150; ++i) child_that([] { _exit(2); });
              std::string mains;
              std::size_t ended = 0;
              const bool all = eventually([&] {
                const Reaped reaped = reap(main_child);
                if (reaped.main) mains += described(*reaped.main) + ' ';
                ended += reaped.ended.size();
                return reaped.none_left;
              });
              return mains + std::to_string(ended) + (all ? " none left" : " some left");
            }),
            "code 42 301 none left");
}

TEST(Reap, TellsWhichSignalEndedTheMainChild) {
  for (const int signal : {SIGKILL, SIGTERM, SIGRTMIN + 3}) {
    EXPECT_EQ(in_a_child([signal] {
                const pid_t main_child = child_that(wait_for_ever);
                kill(main_child, signal);
                Reaped reaped;
                eventually([&] { return (reaped = reap(main_child)).main.has_value(); });
                return described(reaped.main.value_or(ExitStatus{}));
              }),
              "signal " + std::to_string(signal));
  }
}

TEST(Reap, DoesNotWaitForChildrenThatRun) {
  EXPECT_EQ(in_a_child([] {
              const pid_t main_child = child_that(wait_for_ever);
              const Reaped reaped = reap(main_child);
              kill(main_child, SIGKILL);
              return std::string(
                  reaped.main || reaped.none_left || !reaped.ended.empty() ? "wrong" : "nothing");
            }),
            "nothing");
}

TEST(Reap, WithoutAnyChildSaysSo) {
  EXPECT_EQ(in_a_child([] {
              const Reaped reaped = reap(1);
              return std::string(reaped.none_left && !reaped.main ? "none left" : "wrong");
            }),
            "none left");
}

TEST(Reap, ChildrenOfBeforeOurStartDoNotCount) {
  EXPECT_EQ(in_a_child([] {
              const pid_t ends = child_that([] { _exit(1); });
              const pid_t stays = child_that(wait_for_ever);
              std::vector<pid_t> earlier = children();
              std::string result = std::to_string(earlier.size()) + " earlier";
              const pid_t main_child = child_that(wait_for_ever);
              eventually([&] { return state_of(ends) == 'Z'; });
              result += reap(main_child, earlier).none_left ? ", none" : ", some";
              kill(main_child, SIGKILL);
              eventually([&] { return state_of(main_child) == 'Z'; });
              result += reap(main_child, earlier).none_left ? ", none" : ", some";
              if (earlier != std::vector<pid_t>{stays}) result += ", wrong ones";
              kill(stays, SIGKILL);
              return result;
            }),
            "2 earlier, some, none");
}

TEST(Reap, TellsOnceThatTheMainChildWasStopped) {
  EXPECT_EQ(in_a_child([] {
              const pid_t other = child_that(wait_for_ever);
              const pid_t main_child = child_that(wait_for_ever);
              kill(other, SIGSTOP);
              eventually([&] { return state_of(other) == 'T'; });
              std::string result = reap(main_child).main_stopped ? "the other's, " : "";
              kill(main_child, SIGTSTP);
              eventually([&] { return state_of(main_child) == 'T'; });
              result += std::to_string(reap(main_child).main_stopped.value_or(0));
              result += ", then " + std::to_string(reap(main_child).main_stopped.value_or(0));
              kill(other, SIGKILL);
              kill(main_child, SIGKILL);
              return result;
            }),
            std::to_string(SIGTSTP) + ", then 0");
}

TEST(Reap, AStopThatTheEndOvertookIsNotTold) {
  EXPECT_EQ(in_a_child([] {
              const pid_t main_child = child_that(wait_for_ever);
              kill(main_child, SIGSTOP);
              eventually([&] { return state_of(main_child) == 'T'; });
              kill(main_child, SIGKILL);
              eventually([&] { return state_of(main_child) == 'Z'; });
              const Reaped reaped = reap(main_child);
              return described(reaped.main.value_or(ExitStatus{})) +
                     (reaped.main_stopped ? " stopped" : "");
            }),
            "signal 9");
}

TEST(Subreaper, OrphansOfDescendantsBecomeOurs) {
  EXPECT_EQ(in_a_child([] {
              become_subreaper();
              std::array<int, 2> ends{};
              if (pipe(ends.data()) != 0) return std::string("pipe");
              const pid_t main_child = child_that([&] {
                const pid_t parent = getpid();
                const pid_t orphan =
                    child_that([=] { eventually([=] { return getppid() != parent; }); });
                _exit(write(ends[1], &orphan, sizeof orphan) == sizeof orphan ? 0 : 1);
              });
              pid_t orphan = 0;
              if (read(ends[0], &orphan, sizeof orphan) != sizeof orphan)
                return std::string("read");
              std::vector<pid_t> ended;
              eventually([&] {
                const Reaped reaped = reap(main_child);
                ended.insert(ended.end(), reaped.ended.begin(), reaped.ended.end());
                return reaped.none_left;
              });
              return std::string(ended == std::vector{main_child, orphan} ? "both" : "wrong");
            }),
            "both");
}

TEST(Reap, TakesChildrenThatEndWithoutSigchldToo) {
  EXPECT_EQ(in_a_child([] {
              const auto child = static_cast<pid_t>(syscall(SYS_clone, 0, 0, 0, 0, 0));
              if (child == 0) _exit(0);
              std::vector<pid_t> earlier;
              const bool taken = eventually([&] {
                const auto ended = reap(0, earlier).ended;
                return std::ranges::find(ended, child) != ended.end();
              });
              return std::string(taken ? "taken" : "left");
            }),
            "taken");
}

}  // namespace
}  // namespace integcov::process
