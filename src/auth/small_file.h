// Reads a file of credentials or a token.
#pragma once

#include <string>

#include "base/result.h"

namespace integcov::auth {

// At most 1 MiB; never waits for a FIFO's writer. The error is a clause: "No such file or
// directory".
Result<std::string> read_small_file(const std::string& path);

}  // namespace integcov::auth
