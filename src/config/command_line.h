// Arguments and environment -> what to do, or one clear error.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/config.h"
#include "config/environment.h"

namespace integcov::config {

struct Invocation {
  enum class Mode { run, help, version, install, flush_now };

  Mode mode = Mode::run;
  Config config;
  std::uint32_t flush_pid = 1;        // flush_now: the supervisor to ask
  std::size_t program_index = 0;      // of the program's word in args; args.size() if there is none
  std::vector<std::string> warnings;  // for the log, one sentence each
  std::string install_path;           // with Mode::install; not empty
};

// `args` is without argv[0]. Options end at the first word that isn't one, or behind "--"; as with
// Go's flag package one dash is as good as two, and the last of two equal options counts. Options
// win over the environment, labels add up. An empty value means the default (but an empty --label
// is an error). When INTEGCOV_DISABLED or --disabled is true, no other malformed value is an error
// and nothing is warned of. With --flush-now only the flush signal is read beside it.
Result<Invocation> parse_command_line(const std::vector<std::string_view>& args,
                                      const Environment& env);

}  // namespace integcov::config
