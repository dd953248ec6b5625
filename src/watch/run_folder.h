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

struct RunFolder {
  std::string path;
  ControlFolder control;  // held
};

// Makes it (mode 0700). Nobody sees it before it is held.
Result<RunFolder> make_run_folder(const std::string& coverdir, const std::string& id);

// The folder of a run whose supervisor has ended, and what that had in it. False: leave it alone.
using BeforeTheMove = std::function<bool(const std::string& folder, const ControlFolder& control)>;

// Moves what such runs left in their folders up into GOCOVERDIR, where it is a leftover like any
// other. Removes the folder if the supervisor noted that all has ended, or nothing was written to
// it for a day: else a program may go on that was left alone, and needs it. Precondition: we hold
// GOCOVERDIR.
struct Adopted {
  std::vector<std::string> ledgers;  // their texts
  std::size_t moved = 0;             // files and folders
};
Adopted adopt_run_folders(const std::string& coverdir, const BeforeTheMove& before = {});

}  // namespace integcov::watch
