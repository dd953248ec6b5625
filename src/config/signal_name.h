// Signal names and numbers of this platform (signal(7)).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace integcov::config {

// "SIGINT", "INT", "2", "SIGRTMIN+3", "SIGRTMAX-1", in any case of letters. Only signals that a
// supervisor can pass on: not KILL, STOP and CHLD, and none of those that the C library keeps.
Result<int> parse_signal(std::string_view text);

// The same, and none that a Go program can't take as a request: its runtime uses SIGURG for itself
// and lets nobody have the C library's first real-time signal (Go
// src/runtime/sigtab_linux_generic.go).
Result<int> parse_flush_signal(std::string_view text);

// "SIGINT", "SIGRTMIN+3"; "signal 99" for a number without a name.
std::string signal_name(int signal);

}  // namespace integcov::config
