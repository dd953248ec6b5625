// What the reader of a running program's counters saw of it once: pieces of the program's file and
// of its memory. tests/recorder writes them, tests and the fuzzer read them.
//
// An image is a sequence of pieces: kind (1 byte), address (8, little-endian), length (4), and the
// bytes, unless the piece is all zeros.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_source.h"
#include "coverage/counters.h"
#include "coverage/leb128.h"

namespace integcov::coverage {

enum class PieceKind : std::uint8_t { file, file_zeros, memory, memory_zeros, auxv, cmdline, hash };

struct Piece {
  std::uint64_t address = 0;
  std::string bytes;
};

// Later pieces lie over earlier ones.
class Pieces : public ByteSource {
 public:
  void add(Piece piece) { pieces_.push_back(std::move(piece)); }

  bool read(std::uint64_t at, std::span<std::byte> into) override {
    while (!into.empty()) {
      const auto piece = std::find_if(pieces_.rbegin(), pieces_.rend(), [at](const Piece& p) {
        return p.address <= at && at - p.address < p.bytes.size();
      });
      if (piece == pieces_.rend()) return false;
      const auto offset = static_cast<std::size_t>(at - piece->address);
      std::uint64_t count = std::min(into.size(), piece->bytes.size() - offset);
      for (auto over = pieces_.rbegin(); over != piece; ++over) {
        if (over->address > at) count = std::min(count, over->address - at);
      }
      std::memcpy(into.data(), piece->bytes.data() + offset, count);
      into = into.subspan(count);
      at += count;
    }
    return true;
  }

 private:
  std::vector<Piece> pieces_;
};

struct RecordedImage {
  Pieces file;
  Pieces memory;
  std::string auxv;
  std::string cmdline;
  std::vector<MetaHash> hashes;  // of the covmeta files that were there
};

// Stops at the first piece that isn't whole.
inline RecordedImage parse_image(std::string_view bytes) {
  constexpr std::uint32_t kMostZeros = 1 << 20;
  RecordedImage image;
  Reader reader(bytes);
  while (const auto kind = reader.take(1)) {
    const auto address = reader.u64();
    const auto length = reader.u32();
    if (!address || !length) break;
    Piece piece{*address, {}};
    const auto what = static_cast<PieceKind>(kind->front());
    if (what == PieceKind::file_zeros || what == PieceKind::memory_zeros) {
      if (*length > kMostZeros) break;
      piece.bytes.assign(*length, '\0');
    } else {
      const auto content = reader.take(*length);
      if (!content) break;
      piece.bytes = *content;
    }
    MetaHash hash{};
    switch (what) {
      case PieceKind::file:
      case PieceKind::file_zeros: image.file.add(std::move(piece)); break;
      case PieceKind::memory:
      case PieceKind::memory_zeros: image.memory.add(std::move(piece)); break;
      case PieceKind::auxv: image.auxv = std::move(piece.bytes); break;
      case PieceKind::cmdline: image.cmdline = std::move(piece.bytes); break;
      case PieceKind::hash:
        std::copy_n(piece.bytes.begin(), std::min(piece.bytes.size(), hash.size()), hash.begin());
        image.hashes.push_back(hash);
        break;
    }
  }
  return image;
}

inline void append_piece(std::string& out, PieceKind kind, std::uint64_t address,
                         std::string_view bytes) {
  out += static_cast<char>(kind);
  for (int shift = 0; shift < 64; shift += 8) out += static_cast<char>(address >> shift);
  for (int shift = 0; shift < 32; shift += 8) out += static_cast<char>(bytes.size() >> shift);
  if (kind != PieceKind::file_zeros && kind != PieceKind::memory_zeros) out += bytes;
}

}  // namespace integcov::coverage
