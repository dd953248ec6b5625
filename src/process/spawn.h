// Starts the app: our own fork and exec, because libuv's reset what the parent ignored and lose
// signals that come in between (docs/decisions/0002).
#pragma once

#include <sys/types.h>

#include <string>
#include <variant>

#include "process/inherited.h"
#include "process/job_control.h"

namespace integcov::process {

struct Command {
  char* const* argv = nullptr;  // argv[0] is looked up in PATH as execvp(3) does
  char* const* envp = nullptr;
};

struct SpawnError {
  int exit_code = 0;    // 125, 126 or 127
  std::string message;  // one sentence that names the program
};

// The child is in a process group of its own, has the terminal's foreground if we had it, an empty
// signal mask, the dispositions that we inherited and the fds that the parent passed. Returns once
// exec has succeeded.
std::variant<pid_t, SpawnError> spawn(const Command& command, const Inherited& inherited,
                                      const JobControl& job_control);

// Becomes the program, with what the parent passed; returns only on failure.
SpawnError become(const Command& command, const Inherited& inherited);

}  // namespace integcov::process
