// What --help and --version print.
#pragma once

#include <string>

namespace integcov::config {

// At most 80 columns. `color` makes the headings bold.
std::string help_text(bool color = false);

std::string version_text();  // "go-integcov 0.1.0\n"

}  // namespace integcov::config
