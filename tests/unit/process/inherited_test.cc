#include "process/inherited.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "conformance/programs/refuse.h"
#include "unit/process/forked.h"

namespace integcov::process {
namespace {

std::string members(const sigset_t& set) {
  std::string numbers;
  for (int signal = 1; signal <= SIGRTMAX; ++signal) {
    if (sigismember(&set, signal) == 1) numbers += std::to_string(signal) + ' ';
  }
  return numbers;
}

TEST(TakeOver, BlocksWhatCanBeForwardedAndKeepsTheOldMask) {
  EXPECT_EQ(in_a_child([] {
              sigset_t usr1;
              sigemptyset(&usr1);
              sigaddset(&usr1, SIGUSR1);
              sigprocmask(SIG_SETMASK, &usr1, nullptr);
              const Inherited inherited = take_over();
              sigset_t now;
              sigprocmask(SIG_SETMASK, nullptr, &now);
              std::string open;
              for (int signal = 1; signal <= SIGRTMAX; ++signal) {
                const bool reserved = signal >= 32 && signal < SIGRTMIN;  // of the C library
                if (sigismember(&now, signal) == 0 && !reserved) {
                  open += std::to_string(signal) + ' ';
                }
              }
              return "was " + members(inherited.mask) + "open " + open;
            }),
            "was 10 open 4 5 6 7 8 9 11 19 31 ");  // faults, and KILL and STOP, which can't be
}

TEST(TakeOver, GivesSigchldItsDefaultAndRemembersThatItWasIgnored) {
  const auto take = [](void (*handler)(int), int flags) {
    return in_a_child([=] {
      struct sigaction action{};
      action.sa_handler = handler;
      action.sa_flags = flags;
      sigaction(SIGCHLD, &action, nullptr);
      const Inherited inherited = take_over();
      sigaction(SIGCHLD, nullptr, &action);
      const bool standard = action.sa_handler == SIG_DFL && (action.sa_flags & SA_NOCLDWAIT) == 0;
      return std::string(inherited.sigchld_ignored ? "ignored" : "kept") +
             (standard ? "" : ", not reset");
    });
  };
  EXPECT_EQ(take(SIG_DFL, 0), "kept");
  EXPECT_EQ(take(SIG_IGN, 0), "ignored");
  EXPECT_EQ(take(SIG_DFL, SA_NOCLDWAIT), "ignored");
}

TEST(TakeOver, PutsDevNullUnderClosedStandardFdsForUsOnly) {
  EXPECT_EQ(in_a_child([] {
              close(0);
              close(2);
              struct stat before{};
              fstat(1, &before);
              take_over();
              struct stat null{};
              stat("/dev/null", &null);
              std::string result;
              for (const int fd : {0, 2}) {
                struct stat info{};
                if (fstat(fd, &info) != 0 || info.st_rdev != null.st_rdev) result += "no null, ";
                if ((fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0) result += "passed on, ";
              }
              struct stat after{};
              fstat(1, &after);
              if (after.st_ino != before.st_ino) result += "1 changed, ";
              if ((fcntl(1, F_GETFD) & FD_CLOEXEC) != 0) result += "1 not passed on, ";
              return result + "done";
            }),
            "done");
}

std::string differs_from_expected() {
  const int low = dup(1);
  const int high = dup2(1, 200);
  const int own = fcntl(1, F_DUPFD_CLOEXEC, 3);
  take_over();
  close_inherited_fds();
  std::string result;
  for (const int fd : {low, high}) {
    if (fcntl(fd, F_GETFD) >= 0) result += "open, ";
  }
  for (const int fd : {0, 1, 2, own}) {
    if (fcntl(fd, F_GETFD) < 0) result += std::to_string(fd) + " is closed, ";
  }
  return result;
}

TEST(CloseInheritedFds, ClosesTheParentsFdsAndNoneOfOurs) {
  EXPECT_EQ(in_a_child([] { return differs_from_expected() + "done"; }), "done");
}

TEST(CloseInheritedFds, AsksProcWithoutCloseRange) {
  EXPECT_EQ(in_a_child([] {
              if (!refuse({SYS_close_range, SYS_close_range}, ENOSYS))
                return std::string("seccomp");
              return differs_from_expected() + "done";
            }),
            "done");
}

TEST(CloseInheritedFds, WithoutBothTriesThemOneByOne) {
  const std::string result = in_a_child([] {
    if (!refuse({SYS_close_range, SYS_close_range}, ENOSYS)) return std::string("seccomp");
    std::string name = std::filesystem::temp_directory_path() / "integcov-empty-XXXXXX";
    if (mkdtemp(name.data()) == nullptr || chroot(name.c_str()) != 0) return std::string("skip");
    return differs_from_expected() + "done";
  });
  if (result == "skip") GTEST_SKIP() << "chroot(2) is not allowed";
  EXPECT_EQ(result, "done");
}

TEST(TakeOver, HoldsThePlacesOfClosedStdioAlsoWithoutDevNull) {
  const std::string result = in_a_child([] {
    std::string name = std::filesystem::temp_directory_path() / "integcov-empty-XXXXXX";
    if (mkdtemp(name.data()) == nullptr || chroot(name.c_str()) != 0) return std::string("skip");
    for (int fd = 0; fd <= 2; ++fd) close(fd);
    take_over();
    std::string places;
    for (int fd = 0; fd <= 2; ++fd) places += fcntl(fd, F_GETFD) == FD_CLOEXEC ? "held " : "free ";
    return places;
  });
  if (result == "skip") GTEST_SKIP() << "chroot(2) is not allowed";
  EXPECT_EQ(result, "held held held ");
}

TEST(LetGoOfStdio, TheOtherEndsNoticeIt) {
  EXPECT_EQ(in_a_child([] {
              std::array<int, 2> to_us{};
              std::array<int, 2> from_us{};
              if (pipe(to_us.data()) != 0 || pipe(from_us.data()) != 0) return std::string("pipe");
              dup2(to_us[0], 0);
              dup2(from_us[1], 1);
              close(to_us[0]);
              close(from_us[1]);
              let_go_of_stdio();
              signal(SIGPIPE, SIG_IGN);
              std::string result = write(to_us[1], "x", 1) < 0 ? "broken pipe, " : "taken, ";
              result += read_fd(from_us[0]).empty() ? "end of file, " : "data, ";
              return result + (write(1, "x", 1) == 1 && read_fd(0).empty() ? "null" : "closed");
            }),
            "broken pipe, end of file, null");
}

}  // namespace
}  // namespace integcov::process
