// What the run's record says of the run and its program.
#pragma once

#include <sys/types.h>

#include <map>
#include <string>

#include "base/time.h"
#include "supervise/run_record.h"

namespace integcov::app {

// `metadata`: what every object of the run carries. `child`: the program, while it runs; its build
// information is left out where it can't be read.
supervise::RunFacts run_facts(const std::map<std::string, std::string>& metadata, WallTime started,
                              const std::string& program, pid_t child);

}  // namespace integcov::app
