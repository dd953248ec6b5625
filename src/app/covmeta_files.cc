#include "app/covmeta_files.h"

#include <array>
#include <string_view>

#include "coverage/file_name.h"
#include "process/process_memory.h"
#include "watch/folder.h"

namespace integcov::app {
namespace {

// Precondition: 32 lower-case hex digits.
coverage::MetaHash from_hex(std::string_view digits) {
  const auto value = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  coverage::MetaHash hash{};
  for (std::size_t i = 0; i < hash.size(); ++i) {
    hash[i] = static_cast<char>(value(digits[2 * i]) << 4 | value(digits[2 * i + 1]));
  }
  return hash;
}

}  // namespace

std::vector<coverage::MetaHash> CovmetaFiles::hashes() const {
  std::vector<coverage::MetaHash> found;
  const auto listing = watch::list_folder(path_, false);
  if (!listing) return found;
  for (const FileEntry& file : listing->files) {
    const coverage::FileName name = coverage::parse_file_name(file.path);
    if (name.kind == coverage::FileKind::covmeta) found.push_back(from_hex(name.hash));
  }
  return found;
}

std::optional<coverage::CounterMode> CovmetaFiles::mode(const coverage::MetaHash& hash) {
  if (const auto known = modes_.find(hash); known != modes_.end()) return known->second;
  auto file = watch::open_below(path_, "covmeta." + coverage::hex(hash));
  if (!file) return std::nullopt;
  std::array<char, coverage::kMetaHeaderSize> bytes{};
  process::FileBytes meta(std::move(*file));
  if (!meta.read(0, std::as_writable_bytes(std::span(bytes)))) return std::nullopt;
  const auto header = coverage::parse_meta_header({bytes.data(), bytes.size()});
  if (!header || header->hash != hash) return std::nullopt;
  return modes_[hash] = header->mode;
}

}  // namespace integcov::app
