#include "app/flush_now.h"

#include <sys/stat.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <string>

#include "process/proc.h"
#include "process/signal_source.h"

namespace integcov::app {
namespace {

// Under whatever name.
bool runs_our_program(pid_t pid) {
  struct stat ours{};
  struct stat theirs{};
  return stat("/proc/self/exe", &ours) == 0 &&
         stat(("/proc/" + std::to_string(pid) + "/exe").c_str(), &theirs) == 0 &&
         ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
}

}  // namespace

Status request_flush(pid_t supervisor, int signal) {
  const std::string name = "process " + std::to_string(supervisor);
  // The signal would end another program.
  const std::string comm = process::read_proc_file(supervisor, "comm");
  if (comm.empty())
    return Error{"--flush-now: there is no " + name + ", or no /proc to look at it"};
  if (comm != "go-integcov\n" && !runs_our_program(supervisor)) {
    return Error{"--flush-now: " + name +
                 " is no go-integcov; expected the PID of the one that runs the program"};
  }
  sigval value{};
  value.sival_int = process::kFlushRequest;
  if (sigqueue(supervisor, signal, value) != 0) {
    return Error{"--flush-now: cannot signal " + name + ": " + std::strerror(errno)};
  }
  return Success{};
}

}  // namespace integcov::app
