// The program copies itself to where another container finds it.
#pragma once

#include <string>

#include "base/result.h"

namespace integcov::app {

// Copies the file `source` to `path`, or into it under the name go-integcov if it is a folder, with
// mode 0755. Whoever opens the target sees the old file or the whole new one, and one that runs is
// replaced, too. Returns where it is now.
Result<std::string> install(const std::string& source, const std::string& path);

}  // namespace integcov::app
