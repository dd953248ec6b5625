#include "coverage/live_counters.h"

#include <algorithm>

#include "coverage/build_info.h"
#include "coverage/counter_section.h"
#include "coverage/elf.h"

namespace integcov::coverage {
namespace {

constexpr std::uint64_t kMostBytes = 64 << 20;  // of counters; Kubernetes has a few megabytes
constexpr int kMostCopies = 8;

std::vector<std::pair<std::string, std::string>> args_of(std::string_view cmdline,
                                                         std::string_view arch) {
  std::vector<std::pair<std::string, std::string>> args;
  while (!cmdline.empty()) {
    const std::size_t end = std::min(cmdline.find('\0'), cmdline.size());
    args.emplace_back("argv" + std::to_string(args.size()), cmdline.substr(0, end));
    cmdline.remove_prefix(std::min(end + 1, cmdline.size()));
  }
  args.emplace_back("argc", std::to_string(args.size()));
  args.emplace_back("GOOS", "linux");
  args.emplace_back("GOARCH", arch);
  std::ranges::sort(args);
  return args;
}

}  // namespace

std::variant<LiveCounters, NoCounters, Error> LiveCounters::find(ByteSource& file,
                                                                 ByteSource& memory,
                                                                 std::string_view auxv,
                                                                 std::string_view cmdline) {
  auto error = ElfError::none;
  const auto elf = read_elf(file, &error);
  if (error == ElfError::other_class) return Error{"it is no 64-bit little-endian program"};
  if (!elf) return NoCounters{};
  const auto entry = aux_value(auxv, kAuxEntry);
  if (!entry) return Error{"the kernel doesn't tell where it is loaded"};
  const std::uint64_t bias = *entry - elf->entry;

  auto place = place_by_symbols(file, *elf, bias);
  if (place && place->counters.size() != 0 && place->final_hash == 0) {
    return Error{"its main package is built without coverage (see -coverpkg), so Go writes none"};
  }
  if (!place) place = place_by_module_data(memory, *elf, bias);
  if (!place) {
    const auto info = read_build_info(file);
    if (!info || !info->cover) return NoCounters{};
    return Error{"it is stripped, and where " + info->go_version + " has its counters is unknown"};
  }
  if (place->counters.size() == 0) return NoCounters{};
  if (place->counters.size() > kMostBytes) return Error{"its counters take more than 64 MiB"};
  if (elf->go_arch().empty()) return Error{"its processor architecture is unknown"};
  LiveCounters counters(*place);
  counters.args_ = args_of(cmdline, elf->go_arch());
  return counters;
}

std::optional<MetaHash> LiveCounters::hash(ByteSource& memory, std::span<const MetaHash> known) {
  if (needs_known_hashes()) {
    place_.final_hash = find_hash(memory, place_.pointer_free_zeros, known).value_or(0);
  }
  MetaHash hash{};
  if (needs_known_hashes() ||
      !memory.read(place_.final_hash, std::as_writable_bytes(std::span(hash))) ||
      hash == MetaHash{}) {
    return std::nullopt;
  }
  return hash;
}

bool LiveCounters::copy(ByteSource& memory, bool keep_largest,
                        std::vector<std::uint32_t>& words) const {
  words.resize(static_cast<std::size_t>(place_.counters.size() / sizeof(std::uint32_t)));
  if (!memory.read(place_.counters.begin, std::as_writable_bytes(std::span(words)))) return false;
  if (!keep_largest || last_.size() != words.size()) return true;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] < last_[i] && !passed_largest(last_[i], words[i])) words[i] = last_[i];
  }
  return true;
}

LiveCounters::Reading LiveCounters::read(ByteSource& memory, const MetaHash& hash,
                                         bool keep_largest, Buffers& buffers) {
  if (!copy(memory, keep_largest, buffers.words)) return Reading::unreadable;
  if (hash == last_hash_ && buffers.words == last_) return Reading::unchanged;
  buffers.counters.hash = hash;
  buffers.counters.args = args_;

  Reading reading = walk(memory, last_, buffers);
  for (int copies = 1; reading == Reading::not_yet && copies < kMostCopies; ++copies) {
    buffers.earlier.swap(buffers.words);
    if (!copy(memory, keep_largest, buffers.words)) return Reading::unreadable;
    reading = walk(memory, buffers.earlier, buffers);
  }
  return reading;
}

LiveCounters::Reading LiveCounters::walk(ByteSource& memory, std::span<const std::uint32_t> earlier,
                                         Buffers& buffers) {
  const auto once = [&] {
    buffers.counters.clear_functions();
    return walk_counters(buffers.words, earlier, package_ids_, buffers.counters);
  };
  Walked walked = once();
  if (walked == Walked::unknown_package) {
    if (place_.package_list == 0) {
      place_.package_list = find_package_list(memory, place_.zeros).value_or(0);
    }
    if (auto ids = read_package_ids(memory, place_.package_list)) {
      package_ids_ = std::move(*ids);
      walked = once();
    }
  }
  switch (walked) {
    case Walked::whole:
      return each_function_once(buffers.counters) ? Reading::moved : Reading::damaged;
    case Walked::moving: return Reading::not_yet;
    case Walked::unknown_package: return Reading::unknown_packages;
    case Walked::damaged: break;
  }
  return Reading::damaged;
}

void LiveCounters::keep(Buffers& buffers) {
  last_.swap(buffers.words);
  last_hash_ = buffers.counters.hash;
}

}  // namespace integcov::coverage
