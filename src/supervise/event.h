// What the shell tells the session.
#pragma once

#include <variant>
#include <vector>

#include "base/exit_status.h"
#include "base/file_entry.h"
#include "upload/outcome.h"

namespace integcov::supervise {

// A signal for the child. The shell keeps back SIGCHLD and what we caused ourselves.
struct SignalArrived {
  int signal = 0;
};

// The main child was reaped: nothing may be sent to its pid any more.
struct ChildExited {
  ExitStatus status;
};

// No process of the app's is left: nothing more can be written by it.
struct DescendantsGone {};

// A file was renamed to its final name, or closed after writing.
struct FileFinished {
  FileEntry file;
};

// File events may have been lost (an overflow, a new subfolder): list the folder again.
struct EventsLost {};

// The answer to ListFolder.
struct FolderListed {
  std::vector<FileEntry> files;
};

// The answer to StartUpload.
struct UploadFinished {
  upload::UploadId id = 0;
  upload::Outcome outcome;
};

using Event = std::variant<SignalArrived, ChildExited, DescendantsGone, FileFinished, EventsLost,
                           FolderListed, UploadFinished>;

}  // namespace integcov::supervise
