// Which process a pid is, and which program it runs: pids are reused, execve(2) keeps them.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace integcov::process {

struct Thread {
  pid_t id = 0;
  std::uint64_t start_time = 0;  // as ProcessIdentity's
  friend bool operator==(const Thread&, const Thread&) = default;
};

struct ProcessIdentity {
  pid_t pid = -1;
  std::uint64_t start_time = 0;  // clock ticks since boot, /proc/PID/stat
  std::string image;             // the bytes of /proc/PID/auxv
  bool random = false;           // there are addresses in it that change with each exec
  std::optional<Thread> thread;  // as oldest_thread(); where there are none
  friend bool operator==(const ProcessIdentity&, const ProcessIdentity&) = default;
};

// nullopt when the process is gone, a zombie, not ours to read or just executing, and when it has
// forked but not yet called execve: its memory is its parent's then, counters and all.
std::optional<ProcessIdentity> identify(pid_t pid);

// When it began its life, whatever has become of it: also a zombie, or just forked.
std::optional<std::uint64_t> birth(pid_t pid);

// As identify(), of a process whose auxiliary vector may not be read, too.
std::optional<std::uint64_t> start_time(pid_t pid);

// Of the process's threads beside its first the one that was created first. execve(2) ends it,
// whoever calls that, and anybody may look at it. In a Go program it is the runtime's monitor,
// which is there before any package of the program is initialised, and until the end (Go
// src/runtime/proc.go, main).
std::optional<Thread> oldest_thread(pid_t pid);

// Its threads beside the first, oldest first, `most` of them.
std::vector<pid_t> other_threads(pid_t pid, std::size_t most);

// Our live descendants, parents before their children, those only that see the same pid as we do
// (Go writes the pid of the inner namespace into its file names). 4096 at most.
std::vector<pid_t> descendants();

// The pid, or thread id, that was given last in our PID namespace; 0: not known. They are given in
// their order, from the first again after the last one.
pid_t last_pid();

// Whether it is one of them, without a look at all of them.
bool is_descendant(pid_t pid);

}  // namespace integcov::process
