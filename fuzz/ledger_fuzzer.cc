// The first line of the input is the storage, the rest the ledger. What is read from a ledger, once
// written, reads the same; a damaged end only makes it shorter.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "upload/ledger.h"

namespace {

using integcov::FileEntry;
using namespace integcov::upload;

void require(bool kept) {
  if (!kept) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t line = input.find('\n');
  const std::string_view storage = input.substr(0, line);
  const std::string_view rest = line == input.npos ? "" : input.substr(line + 1);

  // As it is, and with the right header before it so that the lines are read.
  (void)parse_ledger(rest, storage);
  const std::string header = ledger_header(storage);
  const std::vector<FileEntry> files = parse_ledger(header + std::string(rest), storage);
  std::string written = header;
  for (const FileEntry& file : files) {
    require(!file.path.empty());
    written += ledger_line(file);
  }
  require(parse_ledger(written, storage) == files);
  require(parse_ledger(written, std::string(storage) + 'x').empty());
  if (!files.empty()) {
    written.pop_back();
    require(parse_ledger(written, storage) == std::vector(files.begin(), files.end() - 1));
  }
  return 0;
}
