#include "coverage/counter_section.h"

#include <algorithm>
#include <optional>

namespace integcov::coverage {
namespace {

constexpr std::size_t kHeaderWords = 3;
constexpr std::size_t kPackageAt = 1;
constexpr std::size_t kFunctionAt = 2;

}  // namespace

Walked walk_counters(std::span<const std::uint32_t> now, std::span<const std::uint32_t> earlier,
                     const PackageIds& ids, Counters& into) {
  if (earlier.size() != now.size()) return Walked::moving;
  bool unknown = false;
  for (std::size_t i = 0; i < now.size();) {
    if (now[i] == 0) {
      ++i;
      continue;
    }
    const std::size_t count = now[i];
    const std::size_t left = now.size() - i;
    const auto header = now.subspan(i, std::min(kHeaderWords, left));
    if (!std::ranges::equal(header, earlier.subspan(i, header.size()))) return Walked::moving;
    if (left < kHeaderWords || count > left - kHeaderWords) return Walked::damaged;
    const auto counters = now.subspan(i + kHeaderWords, count);
    i += kHeaderWords + count;
    if (std::ranges::all_of(counters, [](std::uint32_t value) { return value == 0; })) continue;

    const auto package = static_cast<std::int32_t>(header[kPackageAt]);
    // It ran before its package had a number and hasn't run since: Go can't tell whose it is.
    if (package == 0) continue;
    if (package > 0) {
      into.add(header[kPackageAt] - 1, header[kFunctionAt], counters);
    } else if (const auto id = ids.find(package); id != ids.end()) {
      into.add(id->second, header[kFunctionAt], counters);
    } else {
      unknown = true;
    }
  }
  return unknown ? Walked::unknown_package : Walked::whole;
}

}  // namespace integcov::coverage
