// Signals for a program that catches them: it would be ended by one that it doesn't.
#pragma once

#include <sys/types.h>

namespace integcov::process {

// SigCgt of /proc/PID/status (proc(5)); false also when it can't be read.
bool catches_signal(pid_t pid, int signal);

// Sends it if the process catches it. To a thread beside the first, where there is one: execve(2)
// ends those, so that a program which is executed between the look and the signal never gets it.
// False: it wasn't sent.
bool send_if_caught(pid_t pid, int signal);

}  // namespace integcov::process
