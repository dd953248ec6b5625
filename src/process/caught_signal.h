// Signals for a program that catches them: it would be ended by one that it doesn't.
#pragma once

#include <sys/types.h>

namespace integcov::process {

// SigCgt of /proc/PID/status (proc(5)); false also when it can't be read.
bool catches_signal(pid_t pid, int signal);

// Sends it to a thread beside the first, if the process catches it: execve(2) ends those, so that a
// program which is executed between the look and the signal never gets it. False: it wasn't sent,
// or there is no such thread (a Go program has some at all times but during execve).
bool send_to_second_thread(pid_t pid, int signal);

// Sends it to the process if that catches it. A program that is executed just then may be ended.
bool send_if_caught(pid_t pid, int signal);

}  // namespace integcov::process
