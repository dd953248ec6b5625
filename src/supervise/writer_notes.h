// Who wrote the counters files that stand, for a later run: were we killed before a snapshot took
// the place of the one before it, the process can't be looked at any more. A text file of lines;
// anyone who can write to the folder can write to it, so a damaged one is simply shorter.
//
//   INODE CHANGED_NS IMAGE PATH   of the covmeta file that was there when the writer was seen, and
//                                 what it is known by; IMAGE is "-" where that isn't sure
//   0 0 - PATH                    nothing may take its place any more
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "supervise/snapshots.h"

namespace integcov::supervise {

std::string writer_note(const NoteWriter& note);

struct NotedWriter {
  MetaStamp meta;
  std::string image;  // as in Sighting, exact; empty: not known
  friend bool operator==(const NotedWriter&, const NotedWriter&) = default;
};

// By path, those whose place may be taken. Lines that can't be parsed, also a last one without its
// newline, are skipped.
std::map<std::string, NotedWriter, std::less<>> parse_writer_notes(std::string_view text);

}  // namespace integcov::supervise
