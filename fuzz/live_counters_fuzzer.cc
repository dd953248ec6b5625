// Any program file and any memory, as pieces (tests/unit/coverage/recorded_image.h): what comes out
// can be written and reads the same, and a second look at the same memory finds nothing new.
#include <cstdint>
#include <string_view>
#include <variant>

#include "coverage/build_info.h"
#include "coverage/live_counters.h"
#include "unit/coverage/recorded_image.h"

namespace {

using namespace integcov;
using namespace integcov::coverage;

void require(bool kept) {
  if (!kept) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  RecordedImage image = parse_image({reinterpret_cast<const char*>(data), size});
  (void)read_build_info(image.file);
  auto found = LiveCounters::find(image.file, image.memory, image.auxv, image.cmdline);
  auto* counters = std::get_if<LiveCounters>(&found);
  if (counters == nullptr) return 0;
  const auto hash = counters->hash(image.memory, image.hashes);
  if (!hash) return 0;

  using Reading = LiveCounters::Reading;
  LiveCounters::Buffers buffers;
  if (counters->read(image.memory, *hash, false, buffers) != Reading::moved) return 0;
  const Counters result = buffers.counters;
  require(result.hash == *hash);
  for (const auto& function : result.functions) {
    std::uint64_t sum = 0;
    for (const std::uint32_t value : result.of(function)) sum += value;
    require(sum != 0);
  }
  const auto parsed = parse_counters(write_counters(result));
  require(parsed.ok() && *parsed == result);
  counters->keep(buffers);
  require(counters->read(image.memory, *hash, true, buffers) == Reading::unchanged);
  return 0;
}
