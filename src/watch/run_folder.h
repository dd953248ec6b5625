// A second supervisor in a GOCOVERDIR that another one holds gives its program a folder of its own,
// $GOCOVERDIR/.integcov/run-ID: so each uploads its own processes' files, all of them and no
// others.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "watch/control_folder.h"

#include "base/result.h"

namespace integcov::watch {

// Makes it (mode 0700); its path.
Result<std::string> make_run_folder(const std::string& coverdir, const std::string& id);

// The folder of an ended run, and what its supervisor had in it.
using BeforeTheMove = std::function<void(const std::string& folder, const ControlFolder& control)>;

// Moves what ended runs left in such folders up into GOCOVERDIR, where it is a leftover like any
// other, and removes the folders. Gives their ledgers' texts. Precondition: we hold GOCOVERDIR.
std::vector<std::string> adopt_run_folders(const std::string& coverdir,
                                           const BeforeTheMove& before = {});

}  // namespace integcov::watch
