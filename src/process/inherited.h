// What the parent left us, taken over at the very start and handed on to the child as it was.
#pragma once

#include <sys/types.h>

#include <csignal>
#include <vector>

namespace integcov::process {

struct Inherited {
  sigset_t mask{};               // blocked by the parent
  bool sigchld_ignored = false;  // for the child: it must find what the parent set
  std::vector<pid_t> children;   // forked by whoever then became us: not the program's
};

// Blocks every signal that can be forwarded, so that none is lost from here on; gives SIGCHLD its
// default disposition (an ignored one would reap the child behind our back); puts /dev/null under
// a closed fd 0, 1 or 2, close-on-exec, so that no fd of ours lands there. Call once, first of all,
// with one thread.
Inherited take_over();

// After the child has been started: the fds above 2 that we were started with are none of ours.
// They are those that aren't close-on-exec; all that we open ourselves are.
void close_inherited_fds();

// After the child has been started: stdin and stdout are the child's alone, so that the other ends
// notice when it closes them. /dev/null takes their places, if there is one.
void let_go_of_stdio();

// The signals that take_over() blocks: all but those that the processor raises for a bug of our own
// (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT).
void blocked_signals(sigset_t* set);

}  // namespace integcov::process
