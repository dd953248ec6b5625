// What the session tells the shell to do.
#pragma once

#include <string>
#include <variant>

#include "base/exit_status.h"
#include "base/file_entry.h"
#include "base/log.h"
#include "supervise/flush.h"
#include "supervise/run_record.h"
#include "supervise/snapshots.h"
#include "upload/outcome.h"

namespace integcov::supervise {

struct ForwardSignal {
  int signal = 0;  // to the main child
};

// List GOCOVERDIR and answer with FolderListed.
struct ListFolder {};

// Tell of files in GOCOVERDIR from now on.
struct OpenWatch {};

// And no longer: exiting with an open inotify watch costs milliseconds.
struct CloseWatch {};

// Answer with UploadFinished, unless aborted.
struct StartUpload {
  upload::UploadId id = 0;
  FileEntry file;
  std::string object;     // its name in storage; empty: file.path
  bool replaces = false;  // an older version of the object may be there
};

struct AbortUpload {
  upload::UploadId id = 0;
};

// The app was told to stop: make the token and a connection ready for the last uploads.
struct Prepare {};

// Note that this file is in storage, so that the next run in the folder doesn't send it again.
struct RecordUploaded {
  FileEntry file;
};

// Write the run's record to GOCOVERDIR, and tell of the file as of any other.
struct WriteStartRecord {};
struct WriteEndRecord {
  EndOfRun end;
};

struct WriteLog {
  LogRecord record;
};

// The last action: end as this says.
struct Exit {
  ExitStatus status;
};

using Action = std::variant<ForwardSignal, ListFolder, OpenWatch, CloseWatch, StartUpload,
                            AbortUpload, Prepare, RecordUploaded, LookAtWriter, FoldSnapshot,
                            NoteWriter, RewriteNotes, FindProcesses, SignalSnapshot, ReadSnapshot,
                            WriteStartRecord, WriteEndRecord, WriteLog, Exit>;

}  // namespace integcov::supervise
