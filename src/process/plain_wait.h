// Supervision without a loop, for when the kernel gives us no fds for one: signals are forwarded,
// children reaped, the terminal shared, and nothing else is done.
#pragma once

#include <sys/types.h>

#include <optional>

#include "base/exit_status.h"
#include "process/job_control.h"

namespace integcov::process {

// Returns when the child has ended, with kExitOwnError if its status is lost because it was reaped
// before. `stop_signal`: what it gets for SIGTERM. Precondition: take_over() was called.
ExitStatus plain_wait(pid_t child, const JobControl& job_control, std::optional<int> stop_signal);

}  // namespace integcov::process
