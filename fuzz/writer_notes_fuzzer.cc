// Notes that are read, once written, read the same; a damaged end only makes them fewer.
#include <cstdint>
#include <string>
#include <string_view>

#include "supervise/writer_notes.h"

namespace {

using namespace integcov::supervise;

void require(bool kept) {
  if (!kept) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto notes = parse_writer_notes({reinterpret_cast<const char*>(data), size});
  std::string written;
  for (const auto& [path, writer] : notes) {
    require(!path.empty() && writer.meta.inode != 0);
    written += writer_note({path, writer.meta, writer.image});
  }
  require(parse_writer_notes(written) == notes);
  if (!notes.empty()) {
    written.pop_back();
    require(parse_writer_notes(written).size() == notes.size() - 1);
  }
  return 0;
}
