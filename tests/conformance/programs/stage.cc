// stage OPTIONS -- WRAPPER…: starts the wrapper in prepared surroundings and reports on it.
//   --report FD     lines "pid N", "stopped N", "continued", then "exited N" or "killed N"
//   --pid1          as PID 1 of a PID namespace with its own /proc
//   --tty           stdin is its controlling terminal
//   --shell FD      as a job of a shell on that terminal: bytes on FD are the shell's commands,
//                   f = fg, b = bg; a stopped job gives the terminal back
//   --background    that job begins in the background
//   --block N, --ignore N, --pending N   signals; --close FD; --nofile N; --umask N
//   --children N    N children of the process that becomes the wrapper, which end soon
//   --stays         another one, which doesn't
//   --no-proc       an empty /proc
//   --tmpfs PATH BYTES, --read-only PATH   mounts for the wrapper only
//   --no-signalfd   the kernel has no signalfd
//   --no-vfork      a filter of system calls has no vfork
// When the wrapper has ended, everything that it left is killed.
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string_view>
#include <vector>

#include "refuse.h"
#include "say.h"

namespace {

struct Options {
  int report = 2;
  int shell = -1;
  bool pid1 = false, tty = false, background = false, no_proc = false, no_signalfd = false;
  bool no_vfork = false;
  bool stays = false;
  std::vector<int> block, ignore, pending, close;
  long nofile = -1;
  long mask = -1;
  int children = 0;
  std::vector<std::pair<const char*, const char*>> mounts;  // path, bytes or null for read-only
  char** command = nullptr;
};

Options options;
pid_t wrapper = 0;

[[noreturn]] void die(const std::string& what) {
  say("failed " + what + ": " + std::strerror(errno), options.report);
  _exit(99);
}

void parse(char** argv) {
  const auto number = [&] { return std::atoi(*++argv); };
  for (++argv; *argv != nullptr; ++argv) {
    const std::string_view word = *argv;
    if (word == "--") {
      options.command = argv + 1;
      return;
    }
    if (word == "--report")
      options.report = number();
    else if (word == "--shell")
      options.shell = number();
    else if (word == "--pid1")
      options.pid1 = true;
    else if (word == "--tty")
      options.tty = true;
    else if (word == "--background")
      options.background = true;
    else if (word == "--no-proc")
      options.no_proc = true;
    else if (word == "--stays")
      options.stays = true;
    else if (word == "--no-signalfd")
      options.no_signalfd = true;
    else if (word == "--no-vfork")
      options.no_vfork = true;
    else if (word == "--block")
      options.block.push_back(number());
    else if (word == "--ignore")
      options.ignore.push_back(number());
    else if (word == "--pending")
      options.pending.push_back(number());
    else if (word == "--close")
      options.close.push_back(number());
    else if (word == "--nofile")
      options.nofile = number();
    else if (word == "--umask")
      options.mask = number();
    else if (word == "--children")
      options.children = number();
    else if (word == "--read-only")
      options.mounts.emplace_back(*++argv, nullptr);
    else if (word == "--tmpfs") {
      options.mounts.emplace_back(argv[1], argv[2]);
      argv += 2;
    } else {
      errno = EINVAL;
      die(*argv);
    }
  }
}

void write_text(const char* path, const std::string& text) {
  const int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0 || write(fd, text.data(), text.size()) < 0) die(path);
  close(fd);
}

void make_namespaces() {
  int flags = options.pid1 ? CLONE_NEWPID | CLONE_NEWNS : 0;
  if (options.no_proc || !options.mounts.empty()) flags |= CLONE_NEWNS;
  if (flags == 0) return;
  const unsigned user = geteuid();
  const unsigned group = getegid();
  if (user != 0) flags |= CLONE_NEWUSER;
  if (unshare(flags) != 0) die("namespaces");
  if (user != 0) {
    write_text("/proc/self/setgroups", "deny");
    write_text("/proc/self/uid_map", "0 " + std::to_string(user) + " 1");
    write_text("/proc/self/gid_map", "0 " + std::to_string(group) + " 1");
  }
  if (mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) die("private mounts");
}

void mount_all() {
  for (const auto& [path, bytes] : options.mounts) {
    const std::string data = "mode=0777,size=" + std::string(bytes == nullptr ? "64k" : bytes);
    if (mount("none", path, "tmpfs", 0, data.c_str()) != 0) die("tmpfs");
    if (bytes == nullptr && mount("none", path, nullptr, MS_REMOUNT | MS_RDONLY, nullptr) != 0) {
      die("read-only tmpfs");
    }
  }
  if (options.no_proc) {
    if (mount("none", "/proc", "tmpfs", 0, nullptr) != 0) die("empty /proc");
  } else if (options.pid1) {
    if (mount("proc", "/proc", "proc", 0, nullptr) != 0) die("/proc");
  }
}

// As from anybody: what a process sent itself may be none of the program's business.
void send_from_another() {
  const pid_t sender = fork();
  if (sender == 0) {
    for (const int number : options.pending) kill(getppid(), number);
    _exit(0);
  }
  waitpid(sender, nullptr, 0);
}

// Some are dead before the exec, some end later.
void make_children() {
  if (options.stays && fork() == 0) {
    while (true) pause();
  }
  for (int i = 0; i < options.children; ++i) {
    if (fork() != 0) continue;
    const timespec delay{0, i % 2 == 0 ? 0 : i * 3'000'000L};
    nanosleep(&delay, nullptr);
    _exit(77);
  }
}

[[noreturn]] void become_wrapper(bool terminal_is_ours) {
  if (options.shell < 0) {
    if (setsid() < 0) die("setsid");
    if (options.tty && ioctl(0, TIOCSCTTY, 0) != 0) die("TIOCSCTTY");
  } else {
    setpgid(0, 0);
    if (terminal_is_ours) tcsetpgrp(0, getpid());
    for (const int number : {SIGTTOU, SIGTTIN, SIGTSTP}) signal(number, SIG_DFL);
  }
  mount_all();
  if (options.mask >= 0) umask(static_cast<mode_t>(options.mask));
  make_children();
  for (const int number : options.ignore) signal(number, SIG_IGN);
  sigset_t set;
  sigemptyset(&set);
  for (const int number : options.block) sigaddset(&set, number);
  for (const int number : options.pending) sigaddset(&set, number);
  sigprocmask(SIG_SETMASK, &set, nullptr);
  if (!options.pending.empty()) send_from_another();
  if (options.no_signalfd && !refuse(kSignalfd, ENOSYS)) die("seccomp");
  if (options.no_vfork && !refuse(kVfork, EPERM)) die("seccomp");
  for (const int fd : options.close) close(fd);
  fcntl(options.report, F_SETFD, FD_CLOEXEC);
  if (options.shell >= 0) fcntl(options.shell, F_SETFD, FD_CLOEXEC);
  if (options.nofile >= 0) {
    const auto value = static_cast<rlim_t>(options.nofile);
    const rlimit limit{value, value};
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) die("RLIMIT_NOFILE");
  }
  execvp(options.command[0], options.command);
  die(options.command[0]);
}

void shell_command() {
  char byte = 0;
  if (read(options.shell, &byte, 1) != 1) return;
  if (byte == 'f') tcsetpgrp(0, wrapper);
  kill(-wrapper, SIGCONT);
}

// Until the wrapper has ended.
void watch() {
  while (true) {
    int status = 0;
    const bool is_shell = options.shell >= 0;
    const pid_t got = waitpid(-1, &status, WUNTRACED | WCONTINUED | (is_shell ? WNOHANG : 0));
    if (got == 0) {
      pollfd command{.fd = options.shell, .events = POLLIN, .revents = 0};
      if (poll(&command, 1, 2) > 0) shell_command();
      continue;
    }
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) die("waitpid");
    if (got != wrapper) continue;
    if (WIFSTOPPED(status)) {
      if (is_shell) tcsetpgrp(0, getpgrp());
      say("stopped " + std::to_string(WSTOPSIG(status)), options.report);
    } else if (WIFCONTINUED(status)) {
      say("continued", options.report);
    } else if (WIFSIGNALED(status)) {
      return say("killed " + std::to_string(WTERMSIG(status)), options.report);
    } else {
      return say("exited " + std::to_string(WEXITSTATUS(status)), options.report);
    }
  }
}

// As a subreaper we get all that the wrapper did not take.
void kill_the_rest() {
  const std::string path = "/proc/self/task/" + std::to_string(getpid()) + "/children";
  while (true) {
    std::array<char, 4096> text{};
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && read(fd, text.data(), text.size() - 1) < 0) text[0] = '\0';
    close(fd);
    for (char* at = text.data(); *at != '\0';) {
      char* end = nullptr;
      const long pid = std::strtol(at, &end, 10);
      if (end == at) break;
      kill(static_cast<pid_t>(pid), SIGKILL);
      at = end;
    }
    if (waitpid(-1, nullptr, text[0] == '\0' ? WNOHANG : 0) < 0 && errno == ECHILD) return;
    if (text[0] == '\0') return;
  }
}

}  // namespace

int main(int, char** argv) {
  parse(argv);
  if (options.command == nullptr || options.command[0] == nullptr) die("no command");
  for (int number = 1; number <= SIGRTMAX; ++number) signal(number, SIG_DFL);  // nohup, CI
  prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  if (options.shell >= 0) {
    if (setsid() < 0 || ioctl(0, TIOCSCTTY, 0) != 0) die("terminal");
    for (const int number : {SIGTTOU, SIGTTIN, SIGTSTP}) signal(number, SIG_IGN);
  }
  make_namespaces();
  const bool terminal_is_ours = options.shell >= 0 && !options.background;
  wrapper = fork();
  if (wrapper < 0) die("fork");
  if (wrapper == 0) become_wrapper(terminal_is_ours);
  // Nothing stays behind when the runner is killed.
  signal(SIGPIPE, SIG_IGN);
  signal(SIGTERM, [](int) {
    if (wrapper > 0) kill(wrapper, SIGKILL);
  });
  prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
  if (options.shell >= 0) {
    setpgid(wrapper, wrapper);
    if (terminal_is_ours) tcsetpgrp(0, wrapper);
  }
  say("pid " + std::to_string(wrapper), options.report);
  // The wrapper's fds are not ours.
  for (int fd = options.shell >= 0 ? 1 : 0; fd < 1024; ++fd) {
    if (fd != options.report && fd != options.shell) close(fd);
  }
  watch();
  kill_the_rest();
}
