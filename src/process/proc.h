// Reading /proc, as proc(5) describes it.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace integcov::process {

// Whether /proc is there, and shows the pids that we see. A sandbox may have that of another PID
// namespace; then nothing is read from it.
bool has_proc();

// /proc/PID/NAME, 16 MiB at most; empty if it can't be read.
std::string read_proc_file(pid_t pid, const std::string& name);

// The names in a folder that are numbers, `most` of them at most: processes, threads.
std::vector<pid_t> numbers_in(const std::string& folder, std::size_t most);

// The value of a line in /proc/PID/status; "" if there is none.
std::string_view status_value(std::string_view status, std::string_view name);

// The numbers in a text, as in /proc/PID/task/TID/children.
std::vector<pid_t> parse_pids(std::string_view text);

}  // namespace integcov::process
