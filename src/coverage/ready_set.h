// Which files of GOCOVERDIR are to be uploaded, and when: coverage files as soon as they are seen
// under their final name, any other file at the end of the run.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/file_entry.h"
#include "coverage/file_name.h"

namespace integcov::coverage {

struct ReadyFile {
  FileEntry file;
  FileName name;
  bool stored_before = false;  // an earlier run uploaded another version of it
};

class ReadySet {
 public:
  enum class Scope {
    everything,     // every regular file
    coverage_only,  // a careless folder (/, /tmp, home, …): covmeta and covcounters only
  };

  enum class Stage {
    running,
    ending,     // the main process has ended, others may go on writing
    last_look,  // nothing that is written from now on is waited for
    late,       // later looks: only coverage files are still taken
  };

  // What was modified before `run_start_ns`, or has a time before `start_ns` in its name, is of an
  // earlier run (both CLOCK_REALTIME; the clock of files may differ a little).
  explicit ReadySet(Scope scope, std::int64_t run_start_ns = 0, std::int64_t start_ns = 0)
      : scope_(scope), run_start_ns_(run_start_ns), start_ns_(start_ns) {}

  // A file that an earlier run in this folder uploaded to the same place.
  void already_uploaded(const FileEntry& file);

  // Whether the file is to be uploaded now. One that changed (size or mtime) is ready again, from
  // the last look on only once; a covmeta only if its size changed.
  std::optional<ReadyFile> saw(const FileEntry& file, Stage stage);

  [[nodiscard]] bool knows(const std::string& path) const {
    return taken_.contains(path) || earlier_.contains(path);
  }
  // It was uploaded by an earlier run, in this version or another one.
  [[nodiscard]] bool stored_before(const std::string& path) const {
    return earlier_.contains(path);
  }

  // The supervisor itself changed the file, or removed it: no news.
  void changed(const FileEntry& file, Stage stage) { taken_[file.path] = {file, stage}; }
  void removed(const std::string& path) { taken_.erase(path); }

  [[nodiscard]] bool is_of_this_run(const FileEntry& file, const FileName& name) const {
    const bool counters = name.kind == FileKind::covcounters;
    return file.mtime_ns >= run_start_ns_ &&
           (!counters || static_cast<std::int64_t>(name.time_ns) >= start_ns_);
  }
  // Of this run.
  [[nodiscard]] bool covmeta_seen() const { return covmeta_seen_; }
  [[nodiscard]] bool counters_seen() const { return counters_seen_; }

 private:
  struct Taken {
    FileEntry file;
    Stage stage = Stage::running;
  };

  [[nodiscard]] bool wanted(FileKind kind, Stage stage) const;
  [[nodiscard]] bool is_news(const FileEntry& file, FileKind kind) const;

  Scope scope_;
  std::int64_t run_start_ns_;
  std::int64_t start_ns_;
  std::map<std::string, FileEntry> earlier_;  // by path: uploaded by an earlier run
  std::map<std::string, Taken> taken_;        // by path: ready before in this run
  bool covmeta_seen_ = false;
  bool counters_seen_ = false;
};

}  // namespace integcov::coverage
