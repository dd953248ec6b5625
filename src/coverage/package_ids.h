// Packages that may run before their own initialisation (those below runtime, with
// -coverpkg=all) have negative numbers built in instead of their index in covmeta. The list of all
// packages in memory tells which is which (Go src/internal/coverage/rtcov/rtcov.go, Meta.List).
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "base/byte_source.h"
#include "coverage/elf.h"

namespace integcov::coverage {

using PackageIds = std::map<std::int32_t, std::uint32_t>;  // built-in number -> index in covmeta

// `at`: the address of Meta. nullopt if there is no such list.
std::optional<PackageIds> read_package_ids(ByteSource& memory, std::uint64_t at);

// The address of Meta in that range: without a symbol it is known by the packages' own hashes.
std::optional<std::uint64_t> find_package_list(ByteSource& memory, Range range);

}  // namespace integcov::coverage
