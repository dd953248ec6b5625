#include "coverage/counter_place.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>
#include <vector>

namespace integcov::coverage {
namespace {

constexpr std::size_t kWord = 8;
constexpr std::size_t kPiece = 256 << 10;
// More data than that is searched no further: nobody's program has it before its module data.
constexpr std::uint64_t kMostSearched = std::uint64_t{256} << 20;

constexpr std::array<std::string_view, 6> kSymbols{
    "runtime.covctrs",
    "runtime.ecovctrs",
    "internal/coverage/cfile.finalHash",  // since Go 1.23
    "runtime/coverage.finalHash",
    "internal/coverage/rtcov.Meta",  // since Go 1.23
    "runtime.covMeta",
};

// Words of Go's moduledata (src/runtime/symtab.go), the same from Go 1.20 to 1.26.
enum Word : std::size_t {
  pc_header = 0,
  min_pc = 20,
  max_pc,
  text,
  end_text,
  bss = 28,
  end_bss,
  no_pointer_bss,
  end_no_pointer_bss,
  counters,
  end_counters,
  words,
};

bool ordered(std::uint64_t a, std::uint64_t b, std::uint64_t c) { return a <= b && b <= c; }

// Calls visit(address, bytes) for the memory range in pieces that overlap by `overlap`; stops when
// it returns true.
template <class Visit>
void in_pieces(ByteSource& memory, Range range, std::size_t overlap, const Visit& visit) {
  const std::uint64_t size = std::min(range.size(), kMostSearched);
  std::vector<std::byte> piece;
  for (std::uint64_t at = 0; at < size; at += kPiece) {
    piece.resize(static_cast<std::size_t>(std::min<std::uint64_t>(size - at, kPiece + overlap)));
    if (!memory.read(range.begin + at, piece)) return;
    if (visit(range.begin + at, std::span<const std::byte>(piece))) return;
  }
}

std::optional<CounterPlace> from_words(std::span<const std::byte> table, const Range& code) {
  const auto word = [&](Word index) { return load64(table, index * kWord); };
  const std::uint64_t first = word(min_pc);
  const std::uint64_t last = word(max_pc);
  if (!ordered(code.begin, first, last) || last > code.end) return std::nullopt;
  if (!ordered(word(text), first, last) || last > word(end_text)) return std::nullopt;
  if (!ordered(word(no_pointer_bss), word(counters), word(end_counters)) ||
      word(end_counters) > word(end_no_pointer_bss) || word(bss) > word(end_bss)) {
    return std::nullopt;
  }
  return CounterPlace{.counters = {word(counters), word(end_counters)},
                      .pointer_free_zeros = {word(no_pointer_bss), word(counters)},
                      .zeros = {word(bss), word(end_bss)}};
}

}  // namespace

std::optional<CounterPlace> place_by_symbols(ByteSource& file, const ElfFile& elf,
                                             std::uint64_t bias) {
  const auto found = find_symbols(file, elf, kSymbols);
  if (found[0] == 0 || found[1] < found[0]) return std::nullopt;
  const auto either = [&](std::size_t newer, std::size_t older) {
    const std::uint64_t linked = found[newer] != 0 ? found[newer] : found[older];
    return linked == 0 ? 0 : linked + bias;
  };
  return CounterPlace{.counters = {found[0] + bias, found[1] + bias},
                      .final_hash = either(2, 3),
                      .package_list = either(4, 5)};
}

std::optional<CounterPlace> place_by_module_data(ByteSource& memory, const ElfFile& elf,
                                                 std::uint64_t bias) {
  const Section* table = elf.find(".gopclntab");
  if (table == nullptr) table = elf.find(".data.rel.ro.gopclntab");  // some PIE, up to Go 1.24
  const Section* code = elf.find(".text");
  if (table == nullptr || code == nullptr) return std::nullopt;
  const std::uint64_t key = table->address + bias;
  const Range code_range{code->address + bias, code->range().end + bias};

  std::optional<CounterPlace> place;
  for (const Section& section : elf.sections) {
    if (!section.writable_data()) continue;
    const Range range{section.address + bias, section.range().end + bias};
    in_pieces(
        memory, range, words * kWord, [&](std::uint64_t at, std::span<const std::byte> piece) {
          for (std::size_t i = (0 - at) % kWord; i + words * kWord <= piece.size(); i += kWord) {
            if (load64(piece, i) != key) continue;
            place = from_words(piece.subspan(i, words * kWord), code_range);
            if (place) return true;
          }
          return false;
        });
    if (place) return place;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> find_hash(ByteSource& memory, Range range,
                                       std::span<const MetaHash> known) {
  std::vector<MetaHash> sorted(known.begin(), known.end());
  std::ranges::sort(sorted);
  MetaHash found{};
  std::optional<std::uint64_t> place;
  bool several = false;
  in_pieces(memory, range, found.size() - 1, [&](std::uint64_t at, auto piece) {
    MetaHash candidate{};
    for (std::size_t i = 0; i + candidate.size() <= piece.size(); ++i) {
      std::memcpy(candidate.data(), piece.data() + i, candidate.size());
      if (!std::ranges::binary_search(sorted, candidate)) continue;
      several = several || (place && found != candidate);
      found = candidate;
      if (!place) place = at + i;
    }
    return several;
  });
  return several ? std::nullopt : place;
}

std::optional<std::uint64_t> aux_value(std::string_view auxv, std::uint64_t type) {
  const auto bytes = std::as_bytes(std::span(auxv));
  for (std::size_t i = 0; i + 2 * kWord <= bytes.size(); i += 2 * kWord) {
    if (load64(bytes, i) == type) return load64(bytes, i + kWord);
  }
  return std::nullopt;
}

}  // namespace integcov::coverage
