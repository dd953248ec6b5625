// What the shell tells the session.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/exit_status.h"
#include "base/file_entry.h"
#include "supervise/flush.h"
#include "supervise/snapshots.h"
#include "upload/outcome.h"

namespace integcov::supervise {

// A signal for the child. The shell keeps back SIGCHLD and what we caused ourselves.
struct SignalArrived {
  int signal = 0;
  std::int64_t at_ns = 0;      // CLOCK_REALTIME
  bool flush_request = false;  // of `go-integcov --flush-now`: not for the child
  bool passed_on = false;      // as Session::passes_on() said
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

// An image of a program has begun to write its covmeta. Each is told, in its order among the other
// file events, from a StartsWatched on. Ticks are as in Sighting.
struct ImageStarting {
  std::string hash;
  ImageStart start;
};
// Those before may not have been told: the watch was opened just now, or missed some events.
// Without a tick: none is told any more.
struct StartsWatched {
  std::optional<std::uint64_t> tick;
  std::int64_t at_ns = 0;      // CLOCK_REALTIME
  std::uint32_t last_pid = 0;  // as ImageStart's; 0 also if pids began anew since the main child's
};

// The answer to ListFolder. What happened in the folder before was told before.
struct FolderListed {
  std::vector<FileEntry> files;
  std::uint64_t tick = 0;  // now, as in StartsWatched
  bool failed = false;     // nothing is known of what is there
};

// The answer to StartUpload.
struct UploadFinished {
  upload::UploadId id = 0;
  upload::Outcome outcome;
};

using Event = std::variant<SignalArrived, ChildExited, DescendantsGone, FileFinished, EventsLost,
                           ImageStarting, StartsWatched, FolderListed, UploadFinished, WriterSeen,
                           SnapshotFolded, ProcessesFound, SnapshotSignalled, SnapshotRead>;

}  // namespace integcov::supervise
