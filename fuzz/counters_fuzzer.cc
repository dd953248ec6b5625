// Two counters files, the length of the first in the first two bytes. What can be read is written
// and reads the same; comparing is consistent both ways.
#include <cstdint>
#include <string_view>

#include "coverage/counters.h"
#include "coverage/meta_header.h"

namespace {

using namespace integcov::coverage;

void require(bool kept) {
  if (!kept) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::size_t split = static_cast<std::size_t>(data[0] | data[1] << 8) % (size - 1);
  const std::string_view input(reinterpret_cast<const char*>(data) + 2, size - 2);
  (void)parse_meta_header(input);

  const auto first = parse_counters(input.substr(0, split));
  const auto second = parse_counters(input.substr(split));
  for (const auto* parsed : {&first, &second}) {
    if (!parsed->ok()) continue;
    const Counters& counters = parsed->value();
    std::size_t values = 0;
    for (const auto& function : counters.functions) values += counters.of(function).size();
    require(values == counters.values.size());
    const auto again = parse_counters(write_counters(counters));
    require(again.ok());
    require(again->functions == counters.functions && again->values == counters.values);
    require(again->hash == counters.hash && again->args.size() == counters.args.size());
    require(compare(counters, *again) == Growth::equal);
  }
  if (!first.ok() || !second.ok()) return 0;
  const Growth there = compare(*first, *second);
  const Growth back = compare(*second, *first);
  if (there == Growth::equal) require(back == Growth::equal);
  if (there == Growth::grown) require(back == Growth::smaller || back == Growth::wrapped);
  return 0;
}
