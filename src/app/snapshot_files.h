// Counters files on disk, and a look at who wrote them: the work behind supervise::Snapshots.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "base/result.h"
#include "process/identity.h"
#include "supervise/snapshots.h"

namespace integcov::app {

// Another text for each image of each process.
std::string image_text(const process::ProcessIdentity& identity);

// What runs as that pid; "" if there is none or it is no descendant of ours.
std::string image_of(pid_t pid);

// At the process that the counters file at `path` names, and at its covmeta.
supervise::Sighting look_at_writer(const std::string& coverdir, const std::string& path);

supervise::SnapshotFolded fold(const std::string& coverdir, const supervise::FoldSnapshot& asked);

// Before the program starts: what an earlier supervisor, killed in that very moment, had not yet
// folded. Files whose process can't be told stay as they are.
void fold_leftovers(const std::string& coverdir);

// A file of ours: appears whole or not at all.
Status write_file(const std::string& coverdir, const std::string& name, std::string_view content);

}  // namespace integcov::app
