// Supervision without a loop, for when the kernel gives us no fds for one: signals are forwarded,
// children reaped, and nothing else is done.
#pragma once

#include <sys/types.h>

#include "base/exit_status.h"

namespace integcov::process {

// Returns when the child has ended. Precondition: take_over() was called.
ExitStatus plain_wait(pid_t child);

}  // namespace integcov::process
