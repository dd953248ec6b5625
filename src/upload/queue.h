// The upload queue: what goes up next, how many at once, and the project's one retry loop.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/file_entry.h"
#include "base/random.h"
#include "base/time.h"
#include "upload/backoff.h"
#include "upload/outcome.h"

namespace integcov::upload {

// What is worth most goes first: without its covmeta no counters can be read.
enum class Rank { covmeta, counters, record, other };

struct Job {
  UploadId id = 0;
  FileEntry file;
  std::string object;     // as given to add()
  bool replaces = false;  // an older version of the object may be in storage
};

struct Unsaved {
  FileEntry file;
  std::string reason;  // of the last failure; empty if no attempt ended yet
};

// Each path counts once, as its newest version; records of a run are ours and don't count.
struct Totals {
  std::size_t stored = 0;  // files now in storage, equal ones that were there before included
  std::uint64_t bytes = 0;
};

// What finished() did with a failure, for the log.
enum class Verdict { stored, will_retry, gave_up, vanished };

class Queue {
 public:
  // Many small files on warm HTTP/1.1 connections: 16 keep a 20 ms link busy without a burst of
  // handshakes; each attempt may hold an fd and a connection.
  static constexpr std::size_t kParallel = 16;
  // Longest wait between two tries while the app runs, and in the hurry at the end.
  static constexpr Duration kLongestWait = std::chrono::seconds(30);
  static constexpr Duration kLongestWaitInHurry = std::chrono::seconds(2);
  // Between the starts of two versions of one object: a bucket takes one write per name and second
  // (cloud.google.com/storage/quotas).
  static constexpr Duration kBetweenVersions = std::chrono::seconds(1);
  // A wait that would end after finish_by() is cut so that one try has this long.
  static constexpr Duration kLastChance = std::chrono::seconds(2);

  explicit Queue(std::uint64_t seed, std::size_t parallel = kParallel,
                 Duration between_versions = kBetweenVersions)
      : random_(seed), parallel_(parallel), between_versions_(between_versions) {}

  // Nothing starts before that time: the start-up jitter.
  void hold_until(MonoTime time) { held_until_ = time; }

  // Counters go up newest first: `order` is their time, larger first. A path that is already
  // waiting is replaced; one that is being sent is sent anew afterwards. `object` is its name in
  // storage, the path if empty; a path that could not be stored under one name may get another.
  // `replaces`: an older version of it may be there, from before what the queue knows itself.
  void add(const FileEntry& file, Rank rank, std::uint64_t order = 0, std::string object = {},
           bool replaces = false);

  // The next attempt to start now; it counts as running until finished().
  std::optional<Job> next(MonoTime now);
  Verdict finished(UploadId id, const Outcome& outcome, MonoTime now);

  // The end has come: no jitter, no long waits, and what had failed for good is tried once more.
  // Only a server's Retry-After is waited for.
  void hurry(MonoTime now, MonoTime finish_by);
  // What is not stored by then never will be: each file gets one last chance before it.
  void finish_by(MonoTime time, MonoTime now);

  // When next() may have something although nothing was told; nullopt if never.
  [[nodiscard]] std::optional<MonoTime> deadline() const;
  // Nothing is waiting, running or due for another try.
  [[nodiscard]] bool idle() const;
  // Something of that rank or worth more has not been started, or not anew after a failure.
  [[nodiscard]] bool waiting(Rank rank) const;
  [[nodiscard]] std::vector<UploadId> running() const;
  // Everything that isn't stored, most worth first.
  [[nodiscard]] std::vector<Unsaved> unsaved() const;
  [[nodiscard]] const Totals& totals() const { return totals_; }
  [[nodiscard]] const FileEntry* file(UploadId id) const;
  // Failed attempts in a row; 0 for an unknown id.
  [[nodiscard]] int failures(UploadId id) const;

 private:
  enum class State { ready, delayed, running, gave_up };
  struct Version {
    FileEntry file;
    std::string object;  // empty: file.path
    bool replaces = false;
  };
  // The last attempt at any version of a file.
  struct Tried {
    std::string object;
    std::uint64_t size = 0;
    std::int64_t mtime_ns = 0;
    MonoTime start{};
    [[nodiscard]] bool other_version_than(const Version& version) const;
  };
  struct StoredFile {
    std::uint64_t bytes = 0;  // in totals_
    Tried tried;
  };
  struct Entry {
    Version version;
    std::optional<Tried> tried;
    Rank rank = Rank::other;
    std::uint64_t order = 0;
    State state = State::ready;
    MonoTime not_before{};
    MonoTime not_sooner{};  // the server's Retry-After, or the wait between versions
    bool had_last_chance = false;
    Backoff backoff;
    int failures = 0;
    std::string reason;
    std::optional<Version> newer;  // seen while this one was being sent
  };
  // Smaller is worth more: rank, newest first, then first come.
  using Worth = std::tuple<Rank, std::uint64_t, UploadId>;
  static Worth worth(UploadId id, const Entry& entry);

  void make_ready(UploadId id, Entry& entry);
  static void set_version(Entry& entry, Version version);
  [[nodiscard]] MonoTime next_version_at(const Entry& entry) const;
  void schedule(UploadId id, Entry& entry);
  void start_anew(UploadId id, Entry& entry);
  void count(const Entry& entry);
  std::optional<Tried> uncount(const std::string& path);
  void delay(UploadId id, Entry& entry, MonoTime until, MonoTime now);

  // Entries leave once they are stored.
  std::map<UploadId, Entry> entries_;
  std::map<std::string, UploadId> by_path_;
  std::set<Worth> ready_;
  std::set<std::pair<MonoTime, UploadId>> delayed_;
  std::set<UploadId> running_;
  UploadId last_id_ = 0;
  Random random_;
  std::size_t parallel_;
  Duration between_versions_;
  MonoTime held_until_{};
  bool in_hurry_ = false;
  std::optional<MonoTime> finish_by_;
  Totals totals_;
  std::map<std::string, StoredFile> stored_;  // by path
};

}  // namespace integcov::upload
