// Counters files on disk, and a look at who wrote them: the work behind supervise::Snapshots.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

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

// In a folder that an ended run had: what its supervisor, killed in that very moment, had not yet
// folded. `notes`: as supervise::writer_note() made them. Files whose writer it had not seen stay.
void fold_leftovers(const std::string& coverdir, std::string_view notes);

}  // namespace integcov::app
