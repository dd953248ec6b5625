// Counters files on disk, and a look at who wrote them: the work behind supervise::Snapshots.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

#include "process/identity.h"
#include "supervise/snapshots.h"

namespace integcov::app {

// Another text for each image of each process.
std::string image_text(const process::ProcessIdentity& identity);

// What runs as that pid, as in supervise::Sighting. `main`: the program, not reaped yet, which is
// there even if nothing of it may be looked at; 0 once it is reaped.
struct SeenImage {
  std::string text;
  bool exact = false;
};
SeenImage image_of(pid_t pid, pid_t main);
// Of a descendant that was looked at just now.
SeenImage seen_image(const std::optional<process::ProcessIdentity>& identity, pid_t pid,
                     pid_t main);

supervise::MetaStamp meta_stamp(const std::string& coverdir, const std::string& hash);

// At the process that the counters file at `path` names, and at its covmeta.
supervise::Sighting look_at_writer(const std::string& coverdir, const std::string& path,
                                   pid_t main);

supervise::SnapshotFolded fold(const std::string& coverdir, const supervise::FoldSnapshot& asked,
                               pid_t main);

// In a folder that an ended run had: what its supervisor, killed in that very moment, had not yet
// folded. `notes`: as supervise::writer_note() made them. Files whose writer it had not seen stay.
void fold_leftovers(const std::string& coverdir, std::string_view notes);

}  // namespace integcov::app
