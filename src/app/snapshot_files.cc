#include "app/snapshot_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "base/crc32c.h"
#include "base/encoding.h"
#include "base/unique_fd.h"
#include "coverage/counters.h"
#include "coverage/file_name.h"
#include "event/loop.h"
#include "process/proc.h"
#include "supervise/writer_notes.h"
#include "watch/folder.h"

namespace integcov::app {

using supervise::Fold;
using supervise::MetaStamp;
using supervise::Sighting;

namespace {

// The counters of the largest programs take a few MiB.
constexpr std::size_t kMostBytes = 64 << 20;

struct Content {
  bool there = false;
  std::optional<coverage::Counters> counters;
};

Content read_counters(const std::string& coverdir, const std::string& path) {
  auto file = watch::open_below(coverdir, path);
  if (!file) return {.there = file.error().code != ENOENT, .counters = std::nullopt};
  struct stat info{};
  if (fstat(file->get(), &info) != 0 || static_cast<std::size_t>(info.st_size) > kMostBytes) {
    return {.there = true, .counters = std::nullopt};
  }
  std::string bytes(static_cast<std::size_t>(info.st_size), '\0');
  std::size_t have = 0;
  while (have < bytes.size()) {
    const ssize_t got = read(file->get(), bytes.data() + have, bytes.size() - have);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    have += static_cast<std::size_t>(got);
  }
  bytes.resize(have);
  auto counters = coverage::parse_counters(bytes);
  if (!counters) return {.there = true, .counters = std::nullopt};
  return {.there = true, .counters = *std::move(counters)};
}

std::int64_t nanoseconds(const timespec& time) {
  return time.tv_sec * 1'000'000'000LL + time.tv_nsec;
}

// Does what was judged; what could not be done leaves both files where they are.
Fold carry_out(Fold fold, const std::string& coverdir, const std::string& standing,
               const std::string& appeared) {
  const std::string from = coverdir + '/' + appeared;
  switch (fold) {
    case Fold::replaced:
      if (rename(from.c_str(), (coverdir + '/' + standing).c_str()) != 0) return Fold::kept;
      break;
    case Fold::unchanged:
    case Fold::superseded:
      if (unlink(from.c_str()) != 0 && errno != ENOENT) return Fold::kept;
      break;
    case Fold::kept:
    case Fold::unreadable:
    case Fold::vanished:
    case Fold::undecided: break;
  }
  return fold;
}

std::string image_text(std::uint64_t start_time, const process::Thread& thread) {
  return std::to_string(start_time) + ':' + std::to_string(thread.id) + '.' +
         std::to_string(thread.start_time);
}

std::string image_text(const process::ProcessIdentity& identity) {
  if (identity.thread) return image_text(identity.start_time, *identity.thread);
  return std::to_string(identity.start_time) + '~' + std::to_string(crc32c(0, identity.image));
}

}  // namespace

SeenImage image_of(pid_t pid, Writers writers) {
  if (!writers.anybody && pid != writers.main && !process::is_descendant(pid)) return {};
  return seen_image(process::identify(pid), pid, writers);
}

SeenImage seen_image(const std::optional<process::ProcessIdentity>& identity, pid_t pid,
                     Writers writers) {
  // It may not be looked into if it can't be dumped, or runs as another user.
  const auto start_time = identity ? std::optional(identity->start_time) : process::start_time(pid);
  if (!start_time) return {pid == writers.main && !process::has_proc() ? "?" : ""};
  auto thread = identity ? identity->thread : process::oldest_thread(pid);
  if (!thread && !identity) return {std::to_string(*start_time) + ":"};
  if (!thread && writers.clock != nullptr) thread = process::oldest_thread(pid);
  SeenImage seen{.text = identity ? image_text(*identity) : image_text(*start_time, *thread),
                 .exact = true,
                 .process_start = *start_time};
  if (thread && writers.clock != nullptr) {
    seen.since_ns = writers.clock->over_at(thread->start_time).value_or(0);
  }
  return seen;
}

MetaStamp meta_stamp(const std::string& coverdir, const std::string& hash) {
  struct stat info{};
  if (lstat((coverdir + "/covmeta." + hash).c_str(), &info) != 0) return {};
  // A rename changes ctime only.
  return {.inode = info.st_ino,
          .changed_ns = std::max(nanoseconds(info.st_mtim), nanoseconds(info.st_ctim))};
}

Sighting look_at_writer(const std::string& coverdir, const std::string& path, Writers writers) {
  const coverage::FileName name = coverage::parse_file_name(path);
  Sighting seen;
  seen.meta = meta_stamp(coverdir, name.hash);
  if (writers.clock != nullptr) seen.until_ns = writers.clock->now_unless_set();
  SeenImage image = image_of(static_cast<pid_t>(name.pid), writers);
  seen.image = std::move(image.text);
  seen.exact = image.exact;
  seen.since_ns = image.since_ns;
  seen.process_start = image.process_start;
  seen.at_ns = event::Loop::wall_now().time_since_epoch().count();
  return seen;
}

supervise::SnapshotFolded fold(const std::string& coverdir, const supervise::FoldSnapshot& asked,
                               Writers writers) {
  supervise::SnapshotFolded answer{.standing = asked.standing, .appeared = asked.appeared};
  const Content appeared = read_counters(coverdir, asked.appeared);
  answer.seen = asked.seen ? *asked.seen : look_at_writer(coverdir, asked.appeared, writers);
  if (!appeared.there) {
    answer.fold = Fold::vanished;
    return answer;
  }
  const Content standing = read_counters(coverdir, asked.standing);
  const auto judgement = supervise::judge(
      standing.counters, appeared.counters,
      {asked.of.time_ns > asked.known.newest_ns, supervise::overlap(asked.known, asked.of)},
      supervise::images_of(asked, answer.seen));
  answer.wrapped = judgement.wrapped;
  answer.anew = judgement.anew;
  answer.fold = carry_out(judgement.fold, coverdir, asked.standing, asked.appeared);
  if (auto file = watch::look_at(coverdir, asked.standing)) answer.file = *std::move(file);
  return answer;
}

namespace {

// The counters files of one process, in their order.
class Leftover {
 public:
  using Writers = std::map<std::string, supervise::NotedWriter, std::less<>>;

  Leftover(const std::string& coverdir, FileEntry first, const Writers& writers)
      : coverdir_(coverdir), writers_(writers) {
    stand(std::move(first));
  }

  void add(const FileEntry& file) {
    Fold done = Fold::kept;
    if (writer_ &&
        (goes_on_ || supervise::of_one_image(writer_->meta, standing_.mtime_ns, now_.meta))) {
      const auto judgement = supervise::judge(read_counters(coverdir_, standing_.path).counters,
                                              read_counters(coverdir_, file.path).counters, {},
                                              supervise::Images::one);
      done = carry_out(judgement.fold, coverdir_, standing_.path, file.path);
    }
    if (done == Fold::kept) stand_after(file);
    if (done == Fold::replaced) {
      standing_.size = file.size;
      standing_.mtime_ns = file.mtime_ns;
    }
  }

  [[nodiscard]] std::optional<supervise::LeftRunning> goes_on() const {
    if (!goes_on_) return std::nullopt;
    return supervise::LeftRunning{standing_, now_};
  }

 private:
  // The image that goes on wrote this one, too.
  void stand_after(const FileEntry& file) {
    const auto* const writer = goes_on_ ? writer_ : nullptr;
    stand(file);
    if (writer == nullptr) return;
    writer_ = writer;
    goes_on_ = now_.exact && now_.image == writer->image;
  }

  // Its image is noted if it wrote the file, and pids are given anew after a process only.
  void stand(FileEntry file) {
    standing_ = std::move(file);
    const auto noted = writers_.find(standing_.path);
    writer_ = noted == writers_.end() ? nullptr : &noted->second;
    now_ = look_at_writer(coverdir_, standing_.path, {.main = 0, .anybody = true});
    goes_on_ =
        writer_ != nullptr && !writer_->image.empty() && now_.exact && now_.image == writer_->image;
  }

  const std::string& coverdir_;
  const Writers& writers_;
  FileEntry standing_;
  const supervise::NotedWriter* writer_ = nullptr;
  Sighting now_;
  bool goes_on_ = false;
};

}  // namespace

std::vector<supervise::LeftRunning> fold_leftovers(const std::string& coverdir,
                                                   std::string_view notes) {
  const auto writers = supervise::parse_writer_notes(notes);
  if (writers.empty()) return {};
  const auto listing = watch::list_folder(coverdir, false);
  if (!listing) return {};
  std::map<std::pair<std::string, std::uint32_t>, std::map<std::uint64_t, FileEntry>> processes;
  for (const FileEntry& file : listing->files) {
    coverage::FileName name = coverage::parse_file_name(file.path);
    if (name.kind != coverage::FileKind::covcounters) continue;
    processes[{std::move(name.hash), name.pid}][name.time_ns] = file;
  }
  std::vector<supervise::LeftRunning> running;
  for (const auto& [process, files] : processes) {
    Leftover leftover(coverdir, files.begin()->second, writers);
    for (auto next = std::next(files.begin()); next != files.end(); ++next) {
      leftover.add(next->second);
    }
    if (auto goes_on = leftover.goes_on()) running.push_back(*std::move(goes_on));
  }
  return running;
}

}  // namespace integcov::app
