// The counters of a running program, read from its memory and its program file. Both may hold
// anything: whatever comes out can be written as a file that Go reads, with numbers that were
// there.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/byte_source.h"
#include "base/result.h"
#include "coverage/counter_place.h"
#include "coverage/counters.h"
#include "coverage/package_ids.h"

namespace integcov::coverage {

struct NoCounters {};  // no Go program, or built without -cover

class LiveCounters {
 public:
  // Buffers that one reading after the other uses, of any program.
  struct Buffers {
    std::vector<std::uint32_t> words;
    std::vector<std::uint32_t> earlier;
    Counters counters;  // the result of read()
  };

  enum class Reading {
    moved,      // buffers.counters is new
    unchanged,  // as at the last keep()
    not_yet,    // the program enters so many functions that no copy is consistent; try again
    unreadable,
    damaged,
    unknown_packages,  // -coverpkg=all without the list of packages
  };

  // What is constant while the image runs. `auxv`, `cmdline`: the bytes of these files in
  // /proc/PID. The error ends a sentence about the program: "…: WHY".
  static std::variant<LiveCounters, NoCounters, Error> find(ByteSource& file, ByteSource& memory,
                                                            std::string_view auxv,
                                                            std::string_view cmdline);

  // It is stripped: hash() needs to be told the hashes that may be.
  [[nodiscard]] bool needs_known_hashes() const { return place_.final_hash == 0; }
  // The name of its covmeta file; nullopt while it has none or can't be read.
  std::optional<MetaHash> hash(ByteSource& memory, std::span<const MetaHash> known);

  // `keep_largest`: no counter gets smaller than at the last keep(), unless it passed 2^32. For
  // -covermode=count, where two threads that count at the same time may set a counter back.
  Reading read(ByteSource& memory, const MetaHash& hash, bool keep_largest, Buffers& buffers);
  // What read() just gave is stored: the next one is compared with it.
  void keep(Buffers& buffers);

 private:
  explicit LiveCounters(CounterPlace place) : place_(place) {}
  Reading walk(ByteSource& memory, std::span<const std::uint32_t> earlier, Buffers& buffers);
  [[nodiscard]] bool copy(ByteSource& memory, bool keep_largest,
                          std::vector<std::uint32_t>& words) const;

  CounterPlace place_;
  std::vector<std::pair<std::string, std::string>> args_;
  std::vector<std::uint32_t> last_;
  MetaHash last_hash_{};
  PackageIds package_ids_;
};

}  // namespace integcov::coverage
