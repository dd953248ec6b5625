#include "app/flush_now.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "process/proc.h"
#include "process/signal_source.h"
#include "unit/process/forked.h"
#include "unit/process/helper.h"
#include "unit/watch/temporary_folder.h"

namespace integcov::app {
namespace {

// Runs the program that asks: ours.
TEST(FlushNow, AProcessThatRunsTheSameProgramGetsTheRequest) {
  for (const int signal : {SIGUSR1, SIGUSR2}) {
    EXPECT_EQ(process::in_a_child([signal] {
                sigset_t set;
                sigemptyset(&set);
                sigaddset(&set, signal);
                sigprocmask(SIG_BLOCK, &set, nullptr);
                const pid_t supervisor = getpid();
                const pid_t asking = fork();
                if (asking == 0) _exit(request_flush(supervisor, signal) ? 0 : 1);
                siginfo_t info{};
                const timespec patience{.tv_sec = 30, .tv_nsec = 0};
                if (sigtimedwait(&set, &info, &patience) != signal) return std::string("none");
                waitpid(asking, nullptr, 0);
                const bool request = info.si_code == SI_QUEUE &&
                                     info.si_value.sival_int == process::kFlushRequest &&
                                     info.si_pid == asking;
                return std::string(request ? "a request" : "another signal");
              }),
              "a request");
  }
}

TEST(FlushNow, OneThatIsCalledGoIntegcovGetsItToo) {
  const watch::TemporaryFolder folder;
  const std::string program = folder.path("go-integcov");
  std::filesystem::copy_file("/bin/sleep", program);
  const pid_t pid = fork();
  if (pid == 0) {
    execl(program.c_str(), program.c_str(), "600", nullptr);
    _exit(127);
  }
  ASSERT_TRUE(
      process::eventually([&] { return process::read_proc_file(pid, "comm") == "go-integcov\n"; }));
  EXPECT_TRUE(request_flush(pid, SIGUSR1));
  int status = 0;
  waitpid(pid, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR1) << "sleep doesn't catch it";
}

TEST(FlushNow, AnotherProgramIsNotSignalled) {
  process::Helper cat;
  cat.exec_cat();
  const Status asked = request_flush(cat.pid(), SIGUSR1);
  ASSERT_FALSE(asked);
  EXPECT_EQ(asked.message(), "--flush-now: process " + std::to_string(cat.pid()) +
                                 " is no go-integcov; expected the PID of the one that runs the "
                                 "program");
  cat.exec_cat();  // it lives
}

TEST(FlushNow, AProcessThatIsNotThereIsSaid) {
  process::Helper gone;
  const pid_t pid = gone.pid();
  gone.end();
  const Status asked = request_flush(pid, SIGUSR1);
  ASSERT_FALSE(asked);
  EXPECT_EQ(asked.message(), "--flush-now: there is no process " + std::to_string(pid) +
                                 ", or no /proc to look at it");
}

}  // namespace
}  // namespace integcov::app
