#include "process/plain_wait.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "process/inherited.h"
#include "process/reaper.h"
#include "process/spawn.h"
#include "unit/process/forked.h"

namespace integcov::process {
namespace {

struct Wrapper {
  Inherited inherited = take_over();
  JobControl job_control;

  [[nodiscard]] pid_t start(const std::string& script) const {
    const Words argv({"sh", "-c", script});
    const Words envp({"PATH=/usr/bin:/bin"});
    return std::get<pid_t>(spawn({argv.get(), envp.get()}, inherited, job_control));
  }
  [[nodiscard]] std::string wait(pid_t child, std::optional<int> stop_signal = {}) const {
    return std::to_string(plain_wait(child, job_control, stop_signal).shell_code());
  }
};

void await_end(pid_t child) {
  siginfo_t info{};
  waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT);
}

TEST(PlainWait, ReturnsHowTheChildEnded) {
  const auto status = [](const std::string& script) {
    return in_a_child([&] {
      const Wrapper wrapper;
      return wrapper.wait(wrapper.start(script));
    });
  };
  EXPECT_EQ(status("exit 0"), "0");
  EXPECT_EQ(status("exit 42"), "42");
  EXPECT_EQ(status("kill -KILL $$"), std::to_string(128 + SIGKILL));
}

TEST(PlainWait, NeedsNoSigchldForAChildThatHasEnded) {
  EXPECT_EQ(in_a_child([] {
              const Wrapper wrapper;
              const pid_t child = wrapper.start("exit 9");
              await_end(child);
              sigset_t chld;
              sigemptyset(&chld);
              sigaddset(&chld, SIGCHLD);
              int taken = 0;
              sigwait(&chld, &taken);
              return wrapper.wait(child);
            }),
            "9");
}

TEST(PlainWait, EndsAlsoWhenTheStatusWasTakenBySomebodyElse) {
  EXPECT_EQ(in_a_child([] {
              const Wrapper wrapper;
              const pid_t child = wrapper.start("exit 9");
              waitpid(child, nullptr, 0);
              return wrapper.wait(child);
            }),
            std::to_string(kExitOwnError));
}

TEST(PlainWait, ForwardsSignals) {
  EXPECT_EQ(in_a_child([] {
              const Wrapper wrapper;
              return wrapper.wait(
                  wrapper.start("trap 'exit 12' TERM; trap : USR1; "
                                "kill -USR1 $PPID; kill -TERM $PPID; "
                                "while :; do sleep 0.01; done"));
            }),
            "12");
}

TEST(PlainWait, TheStopSignalReplacesOnlySigterm) {
  EXPECT_EQ(in_a_child([] {
              const Wrapper wrapper;
              return wrapper.wait(
                  wrapper.start("trap 'exit 12' TERM; trap 'exit 2' INT; trap : HUP; "
                                "kill -HUP $PPID; kill -TERM $PPID; "
                                "while :; do sleep 0.01; done"),
                  SIGINT);
            }),
            "2");
}

TEST(PlainWait, KeepsOurOwnSignalsToItself) {
  EXPECT_EQ(in_a_child([] {
              const Wrapper wrapper;
              raise(SIGPIPE);
              raise(SIGTERM);
              return wrapper.wait(wrapper.start("sleep 0.2; exit 3"));
            }),
            "3");
}

TEST(PlainWait, ReapsOrphansOnTheWay) {
  EXPECT_EQ(in_a_child([] {
              become_subreaper();
              const Wrapper wrapper;
              const pid_t child = wrapper.start("for i in 1 2 3; do sh -c 'true &'; done; exit 4");
              const std::string status = wrapper.wait(child);
              eventually([] { return reap(0).none_left; });
              return status;
            }),
            "4");
}

TEST(PlainWait, GivesTheTerminalBack) {
  EXPECT_EQ(on_a_terminal([] {
              const Wrapper wrapper;
              const pid_t child = wrapper.start("exit 0");
              const std::string before = tcgetpgrp(0) == child ? "theirs " : "not given ";
              const std::string status = wrapper.wait(child);
              return before + status + (tcgetpgrp(0) == getpgrp() ? " ours" : " gone");
            }),
            "theirs 0 ours");
}

TEST(PlainWait, AProgramThatStopsWhereNobodyContinuesItGoesOn) {
  EXPECT_EQ(on_a_terminal([] {
              const Wrapper wrapper;
              return wrapper.wait(wrapper.start("kill -TSTP $$; exit 6"));
            }),
            "6");
}

}  // namespace
}  // namespace integcov::process
