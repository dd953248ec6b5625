// record_image PID PROGRAM COVERDIR CMDLINE OUT: reads the counters of a running program and writes
// what was read on the way, for tests/unit/coverage/recorded (see recorded_image.h there). Pieces
// that change nothing when they are zeros are zeros in the image, to keep it small.
// CMDLINE, spaces between arguments, is what the image has in place of the real one.
//
// PROGRAM may run in qemu-user: PID is the emulator's, and the program has a fixed address. Then
// its auxiliary vector is made up.
#include <fcntl.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "app/covmeta_files.h"
#include "coverage/elf.h"
#include "coverage/live_counters.h"
#include "process/proc.h"
#include "process/process_memory.h"
#include "unit/coverage/recorded_image.h"

namespace {

using namespace integcov;
using namespace integcov::coverage;

struct Read {
  PieceKind kind;
  std::uint64_t address;
  std::string bytes;
};

// Keeps what is read, in pieces of at most 512 bytes.
class Recorder : public ByteSource {
 public:
  Recorder(ByteSource& source, PieceKind kind, std::vector<Read>& reads)
      : source_(source), kind_(kind), reads_(reads) {}

  bool read(std::uint64_t at, std::span<std::byte> into) override {
    if (!source_.read(at, into)) return false;
    const std::string bytes(reinterpret_cast<const char*>(into.data()), into.size());
    for (std::size_t i = 0; i < bytes.size(); i += 512) {
      reads_.push_back({kind_, at + i, bytes.substr(i, 512)});
    }
    return true;
  }

 private:
  ByteSource& source_;
  PieceKind kind_;
  std::vector<Read>& reads_;
};

bool all_zeros(const Read& read) { return read.bytes.find_first_not_of('\0') == std::string::npos; }

// Zeros that follow each other are one piece.
std::string to_image(const std::string& start, const std::vector<Read>& reads) {
  std::string image = start;
  for (std::size_t i = 0; i < reads.size();) {
    const Read& first = reads[i++];
    if (!all_zeros(first)) {
      append_piece(image, first.kind, first.address, first.bytes);
      continue;
    }
    std::string zeros = first.bytes;
    while (i < reads.size() && all_zeros(reads[i]) && reads[i].kind == first.kind &&
           reads[i].address == first.address + zeros.size() && zeros.size() < (1 << 19)) {
      zeros += reads[i++].bytes;
    }
    append_piece(image,
                 first.kind == PieceKind::file ? PieceKind::file_zeros : PieceKind::memory_zeros,
                 first.address, zeros);
  }
  return image;
}

std::optional<Counters> counters_in(ByteSource& file, ByteSource& memory, const std::string& auxv,
                                    const std::string& cmdline,
                                    const std::vector<MetaHash>& hashes) {
  auto found = LiveCounters::find(file, memory, auxv, cmdline);
  auto* counters = std::get_if<LiveCounters>(&found);
  const auto hash = counters != nullptr ? counters->hash(memory, hashes) : std::nullopt;
  LiveCounters::Buffers buffers;
  if (!hash || counters->read(memory, *hash, false, buffers) != LiveCounters::Reading::moved) {
    return std::nullopt;
  }
  return buffers.counters;
}

std::optional<Counters> counters_in(const std::string& image_bytes) {
  RecordedImage image = parse_image(image_bytes);
  return counters_in(image.file, image.memory, image.auxv, image.cmdline, image.hashes);
}

std::string made_up_auxv(std::uint64_t entry) {
  std::string auxv;
  for (const std::uint64_t word : {kAuxEntry, entry}) {
    for (int shift = 0; shift < 64; shift += 8) auxv += static_cast<char>(word >> shift);
  }
  return auxv;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) return std::fputs("record_image PID PROGRAM COVERDIR CMDLINE OUT\n", stderr), 2;
  const pid_t pid = std::stoi(argv[1]);
  auto memory = process::open_memory(pid);
  process::FileBytes file(UniqueFd(open(argv[2], O_RDONLY | O_CLOEXEC)));
  const auto elf = read_elf(file);
  if (!memory || !elf) return std::fputs("cannot read the process or the program\n", stderr), 1;

  const bool emulated =
      !std::filesystem::equivalent("/proc/" + std::string(argv[1]) + "/exe", argv[2]);
  const std::string auxv =
      emulated ? made_up_auxv(elf->entry) : process::read_proc_file(pid, "auxv");
  std::string cmdline = std::string(argv[4]) + ' ';
  std::ranges::replace(cmdline, ' ', '\0');
  std::string start;
  append_piece(start, PieceKind::auxv, 0, auxv);
  append_piece(start, PieceKind::cmdline, 0, cmdline);
  const auto hashes = app::CovmetaFiles(argv[3]).hashes();
  for (const MetaHash& hash : hashes) {
    append_piece(start, PieceKind::hash, 0, {hash.data(), hash.size()});
  }

  std::vector<Read> reads;
  Recorder recorded_file(file, PieceKind::file, reads);
  Recorder recorded_memory(*memory, PieceKind::memory, reads);
  const auto counters = counters_in(recorded_file, recorded_memory, auxv, cmdline, hashes);
  if (!counters) return std::fputs("it has no counters that can be read\n", stderr), 1;
  for (Read& read : reads) {
    if (all_zeros(read)) continue;
    const std::string bytes = read.bytes;
    read.bytes.assign(bytes.size(), '\0');
    if (counters_in(to_image(start, reads)) != counters) read.bytes = bytes;
  }
  std::ofstream(argv[5], std::ios::binary) << to_image(start, reads);
  return 0;
}
