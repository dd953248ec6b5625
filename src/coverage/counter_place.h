// Where a running Go program has its counters, in addresses of its memory.
//
// The linker puts the counters of all functions into one array of u32, [runtime.covctrs,
// runtime.ecovctrs), at the end of the data that has no pointers and starts as zeros (Go
// src/cmd/link/internal/ld/data.go). The symbol table names them. A stripped program has still
// runtime.firstmoduledata, the runtime's own table of these addresses, which starts with the
// address of .gopclntab; in memory that is true for position-independent programs too.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "base/byte_source.h"
#include "coverage/counters.h"
#include "coverage/elf.h"

namespace integcov::coverage {

struct CounterPlace {
  Range counters;
  // 0 if there is no symbol for it. The hash is 16 zeros until the program has made it.
  std::uint64_t final_hash = 0;
  std::uint64_t package_list = 0;  // see package_ids.h
  // Where these two are; empty if the symbols tell.
  Range pointer_free_zeros;  // .noptrbss, without the counters
  Range zeros;               // .bss
};

// nullopt: no Go program that has such a table. `bias` is what is added to addresses as linked.
std::optional<CounterPlace> place_by_symbols(ByteSource& file, const ElfFile& elf,
                                             std::uint64_t bias);
std::optional<CounterPlace> place_by_module_data(ByteSource& memory, const ElfFile& elf,
                                                 std::uint64_t bias);

// Where one of `known` lies in the memory range; nullopt if none does, or several.
std::optional<std::uint64_t> find_hash(ByteSource& memory, Range range,
                                       std::span<const MetaHash> known);

// A value of the auxiliary vector (/proc/PID/auxv), getauxval(3)'s AT_ numbers.
std::optional<std::uint64_t> aux_value(std::string_view auxv, std::uint64_t type);
inline constexpr std::uint64_t kAuxEntry = 9;

}  // namespace integcov::coverage
