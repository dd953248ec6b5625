#include "app/run_facts.h"

#include "coverage/build_info.h"

namespace integcov::app {

supervise::RunFacts run_facts(const std::map<std::string, std::string>& metadata, WallTime started,
                              const std::string& program, ByteSource* file) {
  supervise::RunFacts facts{.run = {},
                            .version = INTEGCOV_VERSION,
                            .metadata = metadata,
                            .started = started,
                            .program = {.path = program}};
  if (const auto run = facts.metadata.extract("integcov-run")) facts.run = run.mapped();
  if (file == nullptr) return facts;
  const auto info = coverage::read_build_info(*file);
  if (!info) return facts;
  facts.program.go_version = info->go_version;
  facts.program.module = info->module;
  facts.program.module_version = info->module_version;
  facts.program.revision = info->revision;
  facts.program.modified = info->modified;
  return facts;
}

}  // namespace integcov::app
