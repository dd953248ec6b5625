// Whether a newer snapshot takes the place of an older one. Snapshots are cumulative: two of one
// image count its runs twice, and one that takes the place of another image's loses that one's.
#pragma once

#include <cstdint>
#include <optional>

#include "coverage/counters.h"
#include "supervise/sighting.h"

namespace integcov::supervise {

enum class Fold {
  replaced,    // the newer one has the older one's name now
  unchanged,   // no counter moved: the newer one was removed
  superseded,  // the one that appeared is older than what is there: it was removed
  kept,        // of two images, or the counters were cleared in between: both stay
  unreadable,  // the one that appeared is no counters file: both stay
  vanished,    // it was gone
  undecided,   // of one image or two, which may turn out later: nothing was done
};

// What is known of the file that is there.
struct Standing {
  std::uint64_t first_ns = 0;   // the time in its name
  std::uint64_t newest_ns = 0;  // the time in the name that what it holds had
  std::int64_t written_ns = 0;  // when that was written, by the file system's clock
  std::int64_t read_ns = 0;     // its counters were, by then
  Sighting seen;                // of its writer; without an image it was never seen
  // That image wrote it: it was seen before and after, or is the one whose memory it is. Else it is
  // only known that none has started in between, and what was seen may be one that was about to.
  bool sure = false;
};

struct Appeared {
  std::uint64_t time_ns = 0;  // in its name
  std::int64_t written_ns = 0;
  std::int64_t read_ns = 0;
  Sighting memory;  // whose memory it is, exact; without an image: a file that a process wrote
};

// No image has started since a file was written then. Both times are of one clock.
inline bool none_started_since(const MetaStamp& meta, std::int64_t written_ns) {
  return meta.inode != 0 && meta.changed_ns < written_ns;
}

// Whether the file that appeared is of the same image. `now`: a look at the process whose pid both
// have, taken after the file was there. Precondition: nobody but our descendants writes to the
// folder.
bool of_one_image(const Standing& standing, const Appeared& appeared, const Sighting& now);

// The same for a later run, when nobody can be looked at any more: `noted` by NoteWriter for the
// file that stands, `now` what is there.
inline bool of_one_image(const MetaStamp& noted, std::int64_t standing_written_ns,
                         const MetaStamp& now) {
  return now.inode != 0 && (now == noted || none_started_since(now, standing_written_ns));
}

struct Judgement {
  Fold fold = Fold::kept;
  bool wrapped = false;  // a counter passed 2^32
  bool anew = false;     // kept: an image that began to count anew wrote the newer one
};

// A file gets its name before its counters are read. Of two that were written at the same time, one
// by the program and one from its memory, either may hold the newer counts.
bool overlap(const Standing& standing, const Appeared& appeared);

// By the times in their names.
struct Order {
  bool appeared_newer = true;
  bool overlap = false;
};

// Of how many images both files are; open: that isn't known yet.
enum class Images { two, one, open };

// nullopt: that file can't be parsed.
Judgement judge(const std::optional<coverage::Counters>& standing,
                const std::optional<coverage::Counters>& appeared, Order order, Images images);

}  // namespace integcov::supervise
