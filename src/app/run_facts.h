// What the run's record says of the run and its program.
#pragma once

#include <map>
#include <string>

#include "base/byte_source.h"
#include "base/time.h"
#include "supervise/run_record.h"

namespace integcov::app {

// `metadata`: what every object of the run carries. `file`: the program's; nullptr or another one
// than a Go program's: its build information is left out.
supervise::RunFacts run_facts(const std::map<std::string, std::string>& metadata, WallTime started,
                              const std::string& program, ByteSource* file);

}  // namespace integcov::app
