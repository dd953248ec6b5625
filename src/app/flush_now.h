// `go-integcov --flush-now [PID]`: asks a running go-integcov for a snapshot.
#pragma once

#include <sys/types.h>

#include "base/result.h"

namespace integcov::app {

// The error is a sentence: there is no such process, it is no go-integcov, or it may not be
// signalled.
Status request_flush(pid_t supervisor, int signal);

}  // namespace integcov::app
