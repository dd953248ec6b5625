// What `go build` writes into a binary about itself (`go version -m`): Go
// src/debug/buildinfo/buildinfo.go, runtime/debug/mod.go.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/byte_source.h"

namespace integcov::coverage {

struct BuildInfo {
  std::string go_version;      // "go1.26.8"
  std::string path;            // of the main package
  std::string module;          // of the main module; empty without modules
  std::string module_version;  // "(devel)", "v1.2.3"; or empty
  std::string revision;        // vcs.revision, or empty
  std::string modified;        // vcs.modified: "true", "false", or empty
  bool cover = false;          // built with -cover
  std::string cover_packages;  // -coverpkg, empty if not set
};

// Of an ELF file; nullopt if there is none, or it is older than Go 1.18.
std::optional<BuildInfo> read_build_info(ByteSource& file);

// The text of the module information, without its sentinels.
BuildInfo parse_build_info(std::string_view go_version, std::string_view module_info);

}  // namespace integcov::coverage
