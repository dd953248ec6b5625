#include "coverage/meta_header.h"

#include <algorithm>

#include "coverage/leb128.h"

namespace integcov::coverage {
namespace {

constexpr std::string_view kMagic{"\0cvm", 4};
constexpr std::uint32_t kVersion = 1;

}  // namespace

std::optional<MetaHeader> parse_meta_header(std::string_view bytes) {
  if (bytes.size() < kMetaHeaderSize || !bytes.starts_with(kMagic)) return std::nullopt;
  Reader reader(bytes.substr(kMagic.size()));
  if (*reader.u32() != kVersion) return std::nullopt;
  MetaHeader header;
  header.total_length = *reader.u64();
  header.packages = *reader.u64();
  std::ranges::copy(*reader.take(header.hash.size()), header.hash.begin());
  (void)reader.u64();  // of the string table: offset and length
  const char mode = reader.take(1)->front();
  if (mode < 1 || mode > 3) return std::nullopt;
  header.mode = static_cast<CounterMode>(mode);
  return header;
}

}  // namespace integcov::coverage
