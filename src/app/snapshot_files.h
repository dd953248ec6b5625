// Counters files on disk, and a look at who wrote them: the work behind supervise::Snapshots.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "process/boot_clock.h"
#include "process/identity.h"
#include "supervise/snapshots.h"

namespace integcov::app {

// Who may have written a file: our descendants, or anybody. `main`: the program, not reaped yet,
// which is there even if nothing of it may be looked at; 0 once it is reaped.
struct Writers {
  pid_t main = 0;
  bool anybody = false;
  const process::BootClock* clock = nullptr;  // without one SeenImage::since_ns isn't known
};

// What runs as that pid, as in supervise::Sighting. Its text is another one for each image of each
// process, without spaces, and the same for whoever looks.
struct SeenImage {
  std::string text;
  bool exact = false;
  std::int64_t since_ns = 0;
  std::uint64_t process_start = 0;
};
SeenImage image_of(pid_t pid, Writers writers);
// Of a descendant that was looked at just now.
SeenImage seen_image(const std::optional<process::ProcessIdentity>& identity, pid_t pid,
                     Writers writers);

supervise::MetaStamp meta_stamp(const std::string& coverdir, const std::string& hash);

// At the process that the counters file at `path` names, and at its covmeta.
supervise::Sighting look_at_writer(const std::string& coverdir, const std::string& path,
                                   Writers writers);

supervise::SnapshotFolded fold(const std::string& coverdir, const supervise::FoldSnapshot& asked,
                               Writers writers);

// In a folder that an ended run had: what its supervisor had not yet folded when it was killed in
// that very moment, and what a process wrote after it. `notes`: as supervise::writer_note() made
// them. Files whose writer it had not seen stay. Those that go on: they may write more.
std::vector<supervise::LeftRunning> fold_leftovers(const std::string& coverdir,
                                                   std::string_view notes);

}  // namespace integcov::app
