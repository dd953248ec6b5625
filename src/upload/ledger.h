// What earlier runs in the same GOCOVERDIR uploaded, so that leftovers go up once. A text file of
// lines; anyone who can write to the folder can write to it, so a damaged one is simply shorter.
//
//   integcov-uploaded 1 STORAGE
//   SIZE MTIME_NS PATH
//
// STORAGE and PATH are percent-encoded (base/encoding.h).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/file_entry.h"

namespace integcov::upload {

inline constexpr std::size_t kMaxLedgerEntries = 1'000'000;

std::string ledger_header(std::string_view storage);
std::string ledger_line(const FileEntry& file);

// The entries for that storage; none if the ledger is for another one. Damaged lines, also a last
// one without its newline, are skipped.
std::vector<FileEntry> parse_ledger(std::string_view text, std::string_view storage);

}  // namespace integcov::upload
