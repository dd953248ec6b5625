// Walks the counters of a program as Go's VisitFuncs does in the program itself (Go
// src/internal/coverage/cfile/emit.go): zeros are skipped; a function that has run is its number of
// counters, its package's index plus 1, its index, and its counters.
#pragma once

#include <cstdint>
#include <span>

#include "coverage/counters.h"
#include "coverage/package_ids.h"

namespace integcov::coverage {

enum class Walked {
  whole,
  // Functions were entered for the first time while the copy was made: it may show the end of such
  // an entry without its start. Take another copy, with this one as the earlier.
  moving,
  // A package has a built-in number that `ids` doesn't have.
  unknown_package,
  damaged,
};

// `now`: a copy of the section. `earlier`: a copy that was made before it, or empty. What both show
// of a function was complete before `now` was begun, since the words are written in order; only
// then is it believed. Appends the functions to `into`.
Walked walk_counters(std::span<const std::uint32_t> now, std::span<const std::uint32_t> earlier,
                     const PackageIds& ids, Counters& into);

}  // namespace integcov::coverage
