// What a covcounters file holds (Go src/internal/coverage/defs.go, encodecounter, decodecounter):
// the counters of one process's functions that have run, and the process's arguments.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace integcov::coverage {

// The 16 bytes that are the 32 hex digits in the names of covmeta and covcounters.
using MetaHash = std::array<char, 16>;

std::string hex(const MetaHash& hash);

struct Counters {
  struct Function {
    std::uint32_t package = 0;   // index in covmeta
    std::uint32_t function = 0;  // index in its package
    std::size_t first = 0;       // index in `values`
    std::uint32_t count = 0;
    friend bool operator==(const Function&, const Function&) = default;
  };

  MetaHash hash{};
  std::vector<std::pair<std::string, std::string>> args;  // argc, argv0, …, GOOS, GOARCH
  std::vector<Function> functions;                        // as in the file
  std::vector<std::uint32_t> values;                      // the counters of all functions

  // Precondition: `function` is one of functions.
  [[nodiscard]] std::span<const std::uint32_t> of(const Function& function) const {
    return std::span(values).subspan(function.first, function.count);
  }
  void add(std::uint32_t package, std::uint32_t function, std::span<const std::uint32_t> counters);
  void clear_functions();  // keeps the memory
  friend bool operator==(const Counters&, const Counters&) = default;
};

// No function is there twice, as in every file that Go writes.
bool each_function_once(const Counters& counters);

// A whole file. Of several segments the functions are all there, those with the same indexes added
// up, and the arguments are the first segment's. Go 1.20 may write more functions than it says
// (fixed in 1.21): with one segment all that are there are read. An error ends a sentence
// about the file: "FILE is no whole counters file: …".
Result<Counters> parse_counters(std::string_view bytes);

// A file of one segment, the same as the Go runtime writes but for the order of the strings, which
// is random there.
std::string write_counters(const Counters& counters);

enum class Growth {
  equal,    // no counter moved
  grown,    // no counter is smaller and some are larger, or functions have come
  wrapped,  // some counters are smaller, and each of these passed 2^32
  smaller,  // anything else: another process, another program, cleared counters
};

// A counter that got smaller passed 2^32 if it was at least 2^31 and is less now.
bool passed_largest(std::uint32_t older, std::uint32_t newer);

// A counter that isn't there is 0.
Growth compare(const Counters& older, const Counters& newer);

}  // namespace integcov::coverage
