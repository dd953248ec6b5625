#include "app/memory_snapshots.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "app/covmeta_files.h"
#include "app/snapshot_files.h"
#include "coverage/live_counters.h"
#include "event/loop.h"
#include "process/identity.h"
#include "process/proc.h"
#include "process/process_memory.h"
#include "watch/folder.h"

namespace integcov::app {
namespace {

using coverage::LiveCounters;
using process::ProcessIdentity;

struct Image {
  ProcessIdentity identity;
  std::optional<LiveCounters> counters;
  std::optional<Taken> verdict;  // what to say each time, without another look
  bool has_file = false;
  SeenImage seen;  // once it has one
};

Taken not_opened(const Error& error) {
  if (error.code == ENOENT || error.code == ESRCH) return NotYet{};
  return Failed{error.message, false};
}

// By the environment that it was executed with: a program that was given another GOCOVERDIR, or
// none, writes its own counters elsewhere, or nowhere.
bool writes_to(pid_t pid, const std::string& coverdir) {
  constexpr std::string_view kName = "GOCOVERDIR=";
  const std::string environment = process::read_proc_file(pid, "environ");
  std::string_view rest = environment;
  while (!rest.empty()) {
    const std::string_view variable = rest.substr(0, rest.find('\0'));
    rest.remove_prefix(std::min(rest.size(), variable.size() + 1));
    if (!variable.starts_with(kName)) continue;
    const std::string folder(variable.substr(kName.size()));
    if (folder.empty()) return false;
    if (folder.starts_with('/')) return watch::same_folder(folder, coverdir);
    return watch::same_folder("/proc/" + std::to_string(pid) + "/cwd/" + folder, coverdir);
  }
  return false;
}

Taken no_counters(LiveCounters::Reading reading) {
  using Reading = LiveCounters::Reading;
  if (reading == Reading::unchanged) return Unchanged{};
  if (reading == Reading::damaged) return Failed{"its counters are damaged", false};
  if (reading == Reading::unknown_packages) {
    return Failed{"it is built with -coverpkg=all and its list of packages isn't found", false};
  }
  return NotYet{};  // moving; or the process has just gone
}

}  // namespace

struct MemorySnapshots::State {
  State(std::string folder, const process::BootClock* boot_clock)
      : coverdir(std::move(folder)), clock(boot_clock), metas(coverdir) {}

  // Sets counters or verdict; false if the process changed meanwhile.
  bool look(Image& image, ByteSource& memory);
  Taken snapshot(Image& image, ByteSource& memory, const BeforeTheFirst& before);

  std::string coverdir;
  const process::BootClock* clock;
  CovmetaFiles metas;
  std::unordered_map<pid_t, Image> images;
  LiveCounters::Buffers buffers;
};

bool MemorySnapshots::State::look(Image& image, ByteSource& memory) {
  const pid_t pid = image.identity.pid;
  if (!writes_to(pid, coverdir)) {
    image.verdict = NotCoverBuilt{};
    return process::identify(pid) == image.identity;
  }
  auto program = process::open_program(pid);
  if (!program) {
    image.verdict = not_opened(program.error());
    return true;
  }
  auto found = LiveCounters::find(*program, memory, image.identity.image,
                                  process::read_proc_file(pid, "cmdline"));
  if (process::identify(pid) != image.identity) return false;
  if (auto* counters = std::get_if<LiveCounters>(&found)) {
    image.counters = std::move(*counters);
  } else if (const auto* error = std::get_if<Error>(&found)) {
    image.verdict = Failed{error->message};
  } else {
    image.verdict = NotCoverBuilt{};
  }
  return true;
}

Taken MemorySnapshots::State::snapshot(Image& image, ByteSource& memory,
                                       const BeforeTheFirst& before) {
  const pid_t pid = image.identity.pid;
  LiveCounters& counters = *image.counters;
  std::vector<coverage::MetaHash> known;
  if (counters.needs_known_hashes()) known = metas.hashes();
  const auto hash = counters.hash(memory, known);
  const auto mode = hash ? metas.mode(*hash) : std::nullopt;
  if (!mode) return NotYet{};

  const SeenImage of =
      image.has_file ? image.seen : seen_image(image.identity, pid, {.main = 0, .clock = clock});
  supervise::Sighting seen{.meta = meta_stamp(coverdir, coverage::hex(*hash)),
                           .image = of.text,
                           .exact = true,
                           .process_start = of.process_start,
                           .since_ns = of.since_ns};
  // As Go does: the file is named before the counters are read.
  const std::string name = "covcounters." + coverage::hex(*hash) + '.' + std::to_string(pid) + '.' +
                           std::to_string(event::Loop::wall_now().time_since_epoch().count());
  const bool keep_largest = *mode == coverage::CounterMode::count;
  const auto reading = counters.read(memory, *hash, keep_largest, buffers);
  if (reading != LiveCounters::Reading::moved) return no_counters(reading);
  if (clock != nullptr) seen.until_ns = clock->now_unless_set();
  if (process::identify(pid) != image.identity) return NotYet{};
  seen.at_ns = event::Loop::wall_now().time_since_epoch().count();
  if (!std::exchange(image.has_file, true)) {
    image.seen = of;
    if (before) before({name, seen});
  }
  const Status written =
      watch::write_file(coverdir, name, coverage::write_counters(buffers.counters), 0666);
  if (!written) {
    return Failed{
        "its snapshot can't be written to " + coverdir + ": " + std::strerror(written.error().code),
        false};
  }
  // Another image began meanwhile: what was there before the memory was read is no proof any more.
  if (meta_stamp(coverdir, coverage::hex(*hash)) != seen.meta) {
    unlink((coverdir + '/' + name).c_str());
    return NotYet{};
  }
  counters.keep(buffers);
  return Written{name, std::move(seen)};
}

MemorySnapshots::MemorySnapshots(std::string coverdir, const process::BootClock* clock)
    : state_(std::make_unique<State>(std::move(coverdir), clock)) {}
MemorySnapshots::MemorySnapshots(MemorySnapshots&&) noexcept = default;
MemorySnapshots& MemorySnapshots::operator=(MemorySnapshots&&) noexcept = default;
MemorySnapshots::~MemorySnapshots() = default;

Taken MemorySnapshots::take(pid_t pid, const BeforeTheFirst& before) {
  // Memory first: it stays that of the image which runs at this moment, and is empty once that has
  // gone. What identify() then finds is the same image, or nothing can be read.
  auto memory = process::open_memory(pid);
  if (!memory) {
    state_->images.erase(pid);
    return not_opened(memory.error());
  }
  auto identity = process::identify(pid);
  if (!identity) {
    state_->images.erase(pid);
    return NotYet{};
  }
  Image& image = state_->images[pid];
  if (image.identity != *identity) image = Image{.identity = std::move(*identity)};
  if (!image.counters && !image.verdict && !state_->look(image, *memory)) {
    state_->images.erase(pid);
    return NotYet{};
  }
  return image.verdict ? *image.verdict : state_->snapshot(image, *memory, before);
}

void MemorySnapshots::keep_only(const std::set<pid_t>& running) {
  std::erase_if(state_->images, [&](const auto& known) { return !running.contains(known.first); });
}

}  // namespace integcov::app
