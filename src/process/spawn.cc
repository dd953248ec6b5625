#include "process/spawn.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>

#include "base/encoding.h"
#include "base/exit_status.h"
#include "base/unique_fd.h"

namespace integcov::process {
namespace {

// Async-signal-safe: runs between fork and exec. Returns errno. What is pending for us stays with
// us (fork(2)) and is forwarded; what comes once the mask is set is the program's, even before its
// exec.
int exec_program(const Command& command, const Inherited& inherited, const sigset_t& mask) {
  if (inherited.sigchld_ignored) signal(SIGCHLD, SIG_IGN);
  sigprocmask(SIG_SETMASK, &mask, nullptr);
  execvpe(command.argv[0], command.argv, command.envp);
  return errno;
}

SpawnError describe(const char* program, int error) {
  const std::string name = '"' + printable(program) + '"';
  if (error == ENOENT || error == ENOTDIR) {
    const bool has_slash = std::strchr(program, '/') != nullptr;
    struct stat info{};
    if (has_slash && stat(program, &info) == 0) {
      return {kExitNotFound, "cannot run " + name +
                                 ": the file is there, but the interpreter or dynamic loader "
                                 "that it names is not"};
    }
    return {kExitNotFound,
            "cannot run " + name +
                (has_slash ? ": there is no such file" : ": no program of that name is in PATH")};
  }
  return {kExitNotExecutable, "cannot run " + name + ": " + std::strerror(error)};
}

SpawnError own_error(const char* what, int error) {
  return {kExitOwnError,
          std::string("cannot start the program: ") + what + ": " + std::strerror(error)};
}

// Waits until the pipe is readable or closed. The child may be stopped before its exec (Ctrl-Z).
void await_exec(int fd, pid_t child, const JobControl& job_control) {
  constexpr int kLookMs = 100;
  pollfd waited{.fd = fd, .events = POLLIN, .revents = 0};
  while (true) {
    const int ready = poll(&waited, 1, kLookMs);
    if (ready > 0 || (ready < 0 && errno != EINTR)) return;
    siginfo_t info{};
    if (waitid(P_PID, static_cast<id_t>(child), &info, WSTOPPED | WNOHANG) == 0 &&
        info.si_pid == child) {
      job_control.child_stopped(child, info.si_status);
    }
    sigset_t pending;
    if (sigpending(&pending) == 0 && sigismember(&pending, SIGCONT) == 1) {
      job_control.continued(child);
    }
  }
}

struct Pipe {
  UniqueFd read_end;
  UniqueFd write_end;
};

std::optional<Pipe> make_pipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return std::nullopt;
  return Pipe{.read_end = UniqueFd(ends[0]), .write_end = UniqueFd(ends[1])};
}

// Until the last writer has closed it.
void await_end(int fd) {
  char byte = 0;
  while (read(fd, &byte, 1) < 0 && errno == EINTR) {
  }
}

// What became of a start. Without an error the child executes the program.
struct Start {
  pid_t child = -1;
  int error = 0;
  const char* failed = nullptr;  // our own call; null: the child's exec
};

// Waits until no child holds the other end; the error that it reported, or 0: it was closed by a
// successful exec, or by a signal before it.
int reported_error(int fd) {
  int error = 0;
  ssize_t got = 0;
  do {
    got = read(fd, &error, sizeof error);
  } while (got < 0 && errno == EINTR);
  return got == sizeof error ? error : 0;
}

// The child borrows our address space until its exec, so that nothing is copied, neither then nor
// when we write to it next. posix_spawn(3) would, but leaves the C library's two signals ignored.
// Where vfork(2) is fork(2), as in qemu's user mode, only the pipe brings the error; without fds
// only the borrowed memory does.
[[gnu::noinline]] Start start_alone(const Command& command, const Inherited& inherited,
                                    const JobControl& job_control) {
  auto report = make_pipe();
  sigset_t none;
  sigemptyset(&none);
  volatile int error = 0;
  // What the child calls are system calls, and what glibc's posix_spawn(3) calls there too. Signals
  // have no handlers yet that could run on our stack.
  // NOLINTBEGIN(*-unsafe-functions, clang-analyzer-security.insecureAPI.vfork, *-unix.Vfork)
  const pid_t child = vfork();
  if (child < 0) return {.error = errno, .failed = "vfork"};
  if (child == 0) {
    job_control.enter_child();
    const int failed = exec_program(command, inherited, none);
    error = failed;
    if (report) {
      [[maybe_unused]] const auto put = write(report->write_end.get(), &failed, sizeof failed);
    }
    _exit(kExitOwnError);
  }
  // NOLINTEND(*-unsafe-functions, clang-analyzer-security.insecureAPI.vfork, *-unix.Vfork)
  if (!report) return {.child = child, .error = error};
  report->write_end.reset();
  return {.child = child, .error = reported_error(report->read_end.get())};
}

// With a terminal the child may have to wait for us, and we for one that is stopped before its
// exec.
Start start_in_job(const Command& command, const Inherited& inherited,
                   const JobControl& job_control) {
  auto report = make_pipe();
  if (!report) return {.error = errno, .failed = "pipe"};
  // Where we leave the child's group, the program starts after that only: before its exec a signal
  // that comes to both of us, and is then forwarded, can't count twice. Without the fds it may.
  auto adopted = job_control.steps_out() ? make_pipe() : std::nullopt;

  const pid_t child = fork();
  if (child < 0) return {.error = errno, .failed = "fork"};
  if (child == 0) {
    job_control.enter_child();
    if (adopted) {
      adopted->write_end.reset();
      await_end(adopted->read_end.get());
    }
    sigset_t none;
    sigemptyset(&none);
    const int error = exec_program(command, inherited, none);
    [[maybe_unused]] const auto written = write(report->write_end.get(), &error, sizeof error);
    _exit(kExitOwnError);
  }
  job_control.adopt_child(child);
  adopted.reset();
  report->write_end.reset();

  await_exec(report->read_end.get(), child, job_control);
  return {.child = child, .error = reported_error(report->read_end.get())};
}

}  // namespace

std::variant<pid_t, SpawnError> spawn(const Command& command, const Inherited& inherited,
                                      const JobControl& job_control) {
  Start start;
  if (!job_control.has_terminal()) start = start_alone(command, inherited, job_control);
  // A filter of system calls may know fork(2) alone.
  const bool refused = start.failed != nullptr && start.error != EAGAIN && start.error != ENOMEM;
  if (job_control.has_terminal() || refused) {
    start = start_in_job(command, inherited, job_control);
  }
  if (start.failed != nullptr) return own_error(start.failed, start.error);
  if (start.error == 0) return start.child;
  while (waitpid(start.child, nullptr, 0) < 0 && errno == EINTR) {
  }
  job_control.child_gone(start.child);
  return describe(command.argv[0], start.error);
}

SpawnError become(const Command& command, const Inherited& inherited) {
  // A SIGPIPE of our own log lines isn't the program's.
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGPIPE);
  siginfo_t info{};
  const timespec at_once{};
  if (sigtimedwait(&set, &info, &at_once) == SIGPIPE && info.si_pid != getpid()) raise(SIGPIPE);
  return describe(command.argv[0], exec_program(command, inherited, inherited.mask));
}

}  // namespace integcov::process
