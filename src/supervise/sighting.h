// A look at a process: what tells one of its images, a program between two calls of execve(2), from
// another one, and from another process that got its pid.
#pragma once

#include <cstdint>
#include <string>

namespace integcov::supervise {

// Which writing of a covmeta file is there. Go renames a new one over it at the start of each image
// (Go src/internal/coverage/cfile/emit.go; all versions from 1.20 to 1.26).
struct MetaStamp {
  std::uint64_t inode = 0;      // 0: there is none
  std::int64_t changed_ns = 0;  // when it got there, by the file system's clock: not before
  friend bool operator==(const MetaStamp&, const MetaStamp&) = default;
};

struct Sighting {
  MetaStamp meta;          // of covmeta.HASH, taken before the image
  std::int64_t at_ns = 0;  // CLOCK_REALTIME, after the image was read
  std::string image;       // opaque; empty: no live descendant of ours has this pid
  bool exact = false;      // false: it tells the process only, which may call execve unseen
  std::uint64_t process_start = 0;  // in clock ticks since boot; 0: not known
  // CLOCK_REALTIME, a time by which that image ran already; 0: not known.
  std::int64_t since_ns = 0;
  // CLOCK_REALTIME, a time by which that image ran still. 0: that clock was set, and earlier times
  // don't compare with later ones.
  std::int64_t until_ns = 0;
  // What had started in the folder when it was taken, as Starts::count(); Snapshots adds it. 0: not
  // known.
  std::uint64_t starts = 0;
};

// Two looks at one image.
inline bool same_image(const Sighting& a, const Sighting& b) {
  return a.exact && b.exact && !a.image.empty() && a.image == b.image;
}

// That image ran when a process named a file by that time (CLOCK_REALTIME). Precondition: the look
// was taken after the file was there.
inline bool ran_at(const Sighting& seen, std::uint64_t time_ns) {
  return seen.exact && seen.since_ns > 0 && seen.since_ns < static_cast<std::int64_t>(time_ns);
}

// The same, whether the file was there already or not.
inline bool ran_then(const Sighting& seen, std::uint64_t time_ns) {
  return ran_at(seen, time_ns) && static_cast<std::int64_t>(time_ns) <= seen.until_ns;
}

}  // namespace integcov::supervise
