#include "process/job_control.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "process/caught_signal.h"
#include "process/inherited.h"
#include "process/reaper.h"
#include "process/spawn.h"
#include "unit/process/forked.h"

namespace integcov::process {
namespace {

std::variant<pid_t, SpawnError> start(const Inherited& inherited, const JobControl& job_control,
                                      const std::vector<std::string>& command) {
  const Words argv(command);
  const Words envp({"PATH=/usr/bin:/bin"});
  return spawn({argv.get(), envp.get()}, inherited, job_control);
}

void end(pid_t child) {
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
}

std::string terminal_of(pid_t child) {
  if (tcgetpgrp(0) == child) return "theirs ";
  return tcgetpgrp(0) == getpgrp() ? "ours " : "nobody's ";
}

TEST(JobControl, LendsTheTerminalToTheChild) {
  EXPECT_EQ(on_a_terminal([] {
              const Inherited inherited = take_over();
              const JobControl job_control;
              std::string result = terminal_of(0);
              const pid_t child = std::get<pid_t>(start(inherited, job_control, {"sleep", "60"}));
              result += terminal_of(child);
              end(child);
              job_control.child_gone(child);
              return result + terminal_of(child);
            }),
            "ours theirs ours ");
}

TEST(JobControl, AProgramThatCannotBeRunLeavesTheTerminalOurs) {
  EXPECT_EQ(on_a_terminal([] {
              const Inherited inherited = take_over();
              const JobControl job_control;
              const bool failed = std::holds_alternative<SpawnError>(
                  start(inherited, job_control, {"no-such-program"}));
              return (failed ? "failed " : "runs ") + terminal_of(0);
            }),
            "failed ours ");
}

// In a job of the terminal's session, as its first process or as a member.
std::string in_a_job(const Body& body) {
  return on_a_terminal([&] { return in_a_child(body); });
}
std::string in_the_session_leaders_job(const Body& body) {
  return on_a_terminal([&] { return in_a_child(body, [] {}); });
}

TEST(JobControl, InAJobTheChildStaysAndWeStepOutUntilItIsGone) {
  const Body body = [] {
    const Inherited inherited = take_over();
    const pid_t job = getpgrp();
    const JobControl job_control;
    const pid_t child = std::get<pid_t>(start(inherited, job_control, {"sleep", "60"}));
    std::string result = getpgid(child) == job ? "in " : "elsewhere ";
    result += getpgrp() == job ? "in " : "out ";
    end(child);
    job_control.child_gone(child);
    return result + (getpgrp() == job ? "in" : "out");
  };
  EXPECT_EQ(in_a_job(body), "in out in");
  EXPECT_EQ(in_the_session_leaders_job(body), "in out in");
}

TEST(JobControl, InAJobThatNobodyWouldContinueCtrlZIsUndone) {
  EXPECT_EQ(in_the_session_leaders_job([] {
              const Inherited inherited = take_over();
              const JobControl job_control;
              const pid_t child = std::get<pid_t>(start(inherited, job_control, {"sleep", "60"}));
              kill(child, SIGTSTP);
              eventually([&] { return reap(child).main_stopped.has_value(); });
              job_control.child_stopped(child, SIGTSTP);
              const bool runs = eventually([&] { return state_of(child) != 'T'; });
              end(child);
              return std::string(runs ? "runs" : "stopped");
            }),
            "runs");
}

TEST(JobControl, OnlyInAJobWeDieOfSigintWithTheChild) {
  const auto death = [](ExitStatus child) {
    return [child] {
      take_over();
      const JobControl job_control;
      job_control.die_like(child);
      return std::string("lives");
    };
  };
  EXPECT_EQ(in_a_job(death(ExitStatus::killed_by(SIGINT))), "(signal 2)");
  EXPECT_EQ(in_a_job(death(ExitStatus::killed_by(SIGTERM))), "lives");
  EXPECT_EQ(in_a_job(death(ExitStatus::exited(128 + SIGINT))), "lives");
  EXPECT_EQ(on_a_terminal(death(ExitStatus::killed_by(SIGINT))), "lives");
}

TEST(JobControl, InTheBackgroundTheTerminalIsNotTouched) {
  EXPECT_EQ(on_a_terminal([] {
              const Inherited inherited = take_over();
              const pid_t wrapper = fork();
              if (wrapper == 0) {
                setpgid(0, 0);
                const JobControl job_control;
                const auto child = start(inherited, job_control, {"true"});
                waitpid(std::get<pid_t>(child), nullptr, 0);
                job_control.child_gone(std::get<pid_t>(child));
                _exit(0);
              }
              waitpid(wrapper, nullptr, 0);
              return terminal_of(wrapper);
            }),
            "ours ");
}

TEST(JobControl, AChildThatReachedForATerminalThatWeHaveGetsIt) {
  // As after a shell's "fg": we have the terminal, and the child has not.
  EXPECT_EQ(on_a_terminal([] {
              const Inherited inherited = take_over();
              const JobControl job_control;
              const pid_t child = std::get<pid_t>(start(inherited, job_control, {"sleep", "60"}));
              tcsetpgrp(0, getpgrp());
              kill(child, SIGTTIN);
              eventually([&] { return reap(child).main_stopped.has_value(); });
              job_control.child_stopped(child, SIGTTIN);
              std::string result = terminal_of(child);
              result += eventually([&] { return state_of(child) != 'T'; }) ? "runs" : "stopped";
              end(child);
              return result;
            }),
            "theirs runs");
}

TEST(JobControl, WithoutAShellAboveUsCtrlZIsUndone) {
  EXPECT_EQ(on_a_terminal([] {
              const Inherited inherited = take_over();
              const JobControl job_control;
              const pid_t child = std::get<pid_t>(start(inherited, job_control, {"sleep", "60"}));
              kill(child, SIGTSTP);
              eventually([&] { return reap(child).main_stopped.has_value(); });
              job_control.child_stopped(child, SIGTSTP);
              std::string result = terminal_of(child);
              result += eventually([&] { return state_of(child) != 'T'; }) ? "runs" : "stopped";
              sigset_t now;
              sigprocmask(SIG_SETMASK, nullptr, &now);
              if (sigismember(&now, SIGTSTP) == 0) result += ", SIGTSTP left open";
              end(child);
              return result;
            }),
            "theirs runs");
}

TEST(JobControl, AChildThatWentToAnotherGroupIsContinuedToo) {
  EXPECT_EQ(on_a_terminal([] {
              const Inherited inherited = take_over();
              const JobControl job_control;
              const pid_t child = fork();
              if (child == 0) {  // still in our group
                kill(getpid(), SIGSTOP);
                _exit(0);
              }
              eventually([&] { return state_of(child) == 'T'; });
              job_control.continued(child);
              std::string result =
                  eventually([&] { return state_of(child) == 'Z'; }) ? "ends" : "stopped";
              end(child);
              return result;
            }),
            "ends");
}

TEST(JobControl, WithoutATerminalWeNeverStop) {
  EXPECT_EQ(
      in_a_child(
          [] {
            const Inherited inherited = take_over();
            const JobControl job_control;
            const pid_t child = std::get<pid_t>(start(inherited, job_control, {"sleep", "60"}));
            kill(child, SIGSTOP);
            eventually([&] { return reap(child).main_stopped.has_value(); });
            job_control.child_stopped(child, SIGSTOP);
            std::string result(1, state_of(child));
            job_control.forward(SIGCONT, child);
            result += eventually([&] { return state_of(child) != 'T'; }) ? " runs" : " stopped";
            end(child);
            return result;
          },
          lead_a_session),
      "T runs");
}

// Whether the child of that script gets a SIGTSTP; a SIGTERM after it ends it in any case.
std::string fate(const std::string& script) {
  return in_a_child(
      [&] {
        const Inherited inherited = take_over();
        const JobControl job_control;
        std::array<int, 2> ends{};
        if (pipe(ends.data()) != 0) return std::string("pipe");
        dup2(ends[1], 1);
        const pid_t child = std::get<pid_t>(start(
            inherited, job_control, {"sh", "-c", script + "echo; while :; do sleep 0.01; done"}));
        char ready = 0;
        if (read(ends[0], &ready, 1) != 1) return std::string("read");
        std::string result = job_control.may_send_stop(SIGTSTP, child) ? "may " : "may not ";
        job_control.forward(SIGTSTP, child);
        if (!catches_signal(child, SIGTSTP)) job_control.forward(SIGTERM, child);
        int status = 0;
        waitpid(child, &status, WUNTRACED);
        if (WIFSTOPPED(status)) return result + "stopped";
        return result +
               (WIFSIGNALED(status) ? "killed" : "code " + std::to_string(WEXITSTATUS(status)));
      },
      lead_a_session);
}

TEST(JobControl, WithoutATerminalOnlyAChildThatCatchesAStopGetsIt) {
  EXPECT_EQ(fate("trap 'exit 9' TSTP; "), "may code 9");
  EXPECT_EQ(fate(""), "may not killed");
}

}  // namespace
}  // namespace integcov::process
