// The run's own record, for whoever reads the bucket later: integcov.<run>.start.json when coverage
// is first seen, integcov.<run>.end.json beside the last counters. Each is written once.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/exit_status.h"
#include "base/time.h"

namespace integcov::supervise {

// What doesn't change in a run. Empty strings are left out.
struct RunFacts {
  std::string run;                              // 32 hex digits
  std::string version;                          // of go-integcov
  std::map<std::string, std::string> metadata;  // instance, platform names, labels
  WallTime started;
  struct Program {
    std::string path;  // as it was started
    std::string go_version;
    std::string module;
    std::string module_version;
    std::string revision;  // vcs.revision
    std::string modified;  // vcs.modified
  } program;
};

struct EndOfRun {
  struct Process {
    std::uint32_t pid = 0;
    std::string hash;                  // of its covmeta
    std::vector<std::string> objects;  // the newest last: each holds all counts before it
  };
  ExitStatus status;
  std::string flush;  // how snapshots were taken: Flush::method()
  std::vector<Process> processes;
  bool complete = true;  // false: there were too many processes to list
};

inline std::string start_record_name(std::string_view run) {
  return "integcov." + std::string(run) + ".start.json";
}
inline std::string end_record_name(std::string_view run) {
  return "integcov." + std::string(run) + ".end.json";
}

// JSON, one object and a newline.
std::string start_record(const RunFacts& facts);
std::string end_record(const RunFacts& facts, const EndOfRun& end, WallTime ended);

}  // namespace integcov::supervise
