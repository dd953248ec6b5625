// find_symbols.
#include <algorithm>
#include <array>
#include <functional>

#include "coverage/elf.h"

namespace integcov::coverage {
namespace {

constexpr std::ptrdiff_t kPiece = 256 << 10;
constexpr std::size_t kSymbolSize = 24;
constexpr std::uint32_t kSymbolTable = 2;
// A Go program has tens of megabytes of symbols; a file that names more is searched so far.
constexpr std::uint64_t kMostTableBytes = std::uint64_t{1} << 30;
constexpr std::size_t kMostPlaces = 64;  // of one name in the strings

struct Place {
  std::uint64_t at;  // in the strings
  std::size_t name;  // index in names
};

// Where the names are in the strings. Another name's end may be one of them: linkers share bytes.
std::vector<Place> find_names(ByteSource& file, const Section& strings,
                              std::span<const std::string_view> names) {
  std::size_t longest = 0;
  for (const std::string_view name : names) longest = std::max(longest, name.size());
  const std::uint64_t size = std::min(strings.size, kMostTableBytes);
  std::vector<Place> places;
  std::string piece;
  for (std::uint64_t at = 0; at < size; at += kPiece) {
    // Each piece goes on into the next, so that no name is cut.
    piece.resize(static_cast<std::size_t>(std::min<std::uint64_t>(size - at, kPiece + longest)));
    if (!file.read(strings.offset + at, std::as_writable_bytes(std::span(piece)))) break;
    for (std::size_t i = 0; i < names.size(); ++i) {
      const std::boyer_moore_horspool_searcher searcher(names[i].begin(), names[i].end());
      auto from = piece.cbegin();
      while (places.size() < kMostPlaces * names.size()) {
        const auto [found, end] = searcher(from, piece.cend());
        if (found == piece.cend() || found - piece.cbegin() >= kPiece) break;
        const auto offset = static_cast<std::uint64_t>(found - piece.cbegin());
        if (end != piece.cend() && *end == '\0') places.push_back({at + offset, i});
        from = found + 1;
      }
    }
  }
  return places;
}

}  // namespace

std::vector<std::uint64_t> find_symbols(ByteSource& file, const ElfFile& elf,
                                        std::span<const std::string_view> names) {
  std::vector<std::uint64_t> addresses(names.size(), 0);
  const auto table = std::ranges::find(elf.sections, kSymbolTable, &Section::type);
  if (table == elf.sections.end() || table->link >= elf.sections.size()) return addresses;
  const std::vector<Place> places = find_names(file, elf.sections[table->link], names);
  if (places.empty()) return addresses;

  const std::uint64_t size = std::min(table->size, kMostTableBytes);
  std::vector<std::byte> piece;
  constexpr std::uint64_t kWholeSymbols = kPiece / kSymbolSize * kSymbolSize;
  std::size_t missing = names.size();
  for (std::uint64_t at = 0; at + kSymbolSize <= size && missing > 0; at += kWholeSymbols) {
    const auto bytes =
        std::min<std::uint64_t>((size - at) / kSymbolSize * kSymbolSize, kWholeSymbols);
    piece.resize(static_cast<std::size_t>(bytes));
    if (!file.read(table->offset + at, piece)) break;
    for (std::size_t i = 0; i < piece.size(); i += kSymbolSize) {
      const std::uint32_t name = load32(piece, i);
      const auto place = std::ranges::find(places, name, &Place::at);
      const std::uint64_t value = place == places.end() ? 0 : load64(piece, i + 8);
      if (value == 0 || addresses[place->name] != 0) continue;
      addresses[place->name] = value;
      --missing;
    }
  }
  return addresses;
}

}  // namespace integcov::coverage
