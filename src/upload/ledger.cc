#include "upload/ledger.h"

#include <charconv>
#include <optional>
#include <utility>

#include "base/encoding.h"

namespace integcov::upload {
namespace {

// Takes the text up to `separator` off the front; nullopt if there is none.
std::optional<std::string_view> take_until(std::string_view& text, char separator) {
  const std::size_t end = text.find(separator);
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view taken = text.substr(0, end);
  text.remove_prefix(end + 1);
  return taken;
}

template <class T>
bool parse_number(std::optional<std::string_view> text, T& value) {
  if (!text) return false;
  const std::string_view digits = *text;
  const char* end = digits.data() + digits.size();
  const auto result = std::from_chars(digits.data(), end, value);
  return result.ec == std::errc() && result.ptr == end;
}

std::optional<FileEntry> parse_line(std::string_view line) {
  FileEntry file;
  if (!parse_number(take_until(line, ' '), file.size)) return std::nullopt;
  if (!parse_number(take_until(line, ' '), file.mtime_ns)) return std::nullopt;
  auto path = percent_decode(line);
  if (!path || path->empty()) return std::nullopt;
  file.path = *std::move(path);
  return file;
}

}  // namespace

std::string ledger_header(std::string_view storage) {
  return "integcov-uploaded 1 " + percent_encode(storage) + '\n';
}

std::string ledger_line(const FileEntry& file) {
  return std::to_string(file.size) + ' ' + std::to_string(file.mtime_ns) + ' ' +
         percent_encode(file.path) + '\n';
}

std::vector<FileEntry> parse_ledger(std::string_view text, std::string_view storage) {
  std::vector<FileEntry> files;
  const std::string header = ledger_header(storage);
  if (!text.starts_with(header)) return files;
  text.remove_prefix(header.size());
  while (files.size() < kMaxLedgerEntries) {
    const auto line = take_until(text, '\n');
    if (!line) break;
    if (auto file = parse_line(*line)) files.push_back(*std::move(file));
  }
  return files;
}

}  // namespace integcov::upload
