// The sentences that a run ends with.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/log.h"
#include "upload/queue.h"

namespace integcov::supervise {

// Storage is set and everything is there.
LogRecord uploaded_line(const upload::Totals& totals, const std::string& storage);

// Some files could not be uploaded: how many, where they are, why, and their names (the first few).
// `why` is empty when the last failure of the first file says it.
LogRecord unsaved_line(const std::vector<upload::Unsaved>& unsaved, const upload::Totals& totals,
                       const std::string& storage, const std::string& coverdir,
                       const std::string& why);

// Storage is unset.
LogRecord kept_line(const std::string& coverdir);

// No covmeta appeared in the whole run.
LogRecord no_coverage_line(const std::string& coverdir);

// The program was built with -cover, but no counters came.
LogRecord no_counters_line(const std::string& coverdir);

// Processes that the program left run on, and storage is set.
LogRecord still_running_line(const std::string& coverdir);

// Uploads take long after the program's end.
std::string progress_line(std::size_t files, const std::string& storage, std::chrono::seconds left);

}  // namespace integcov::supervise
