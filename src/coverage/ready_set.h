// Which files of GOCOVERDIR are to be uploaded, and when: coverage files as soon as they are seen
// under their final name, any other file at the end of the run.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/file_entry.h"
#include "coverage/file_name.h"

namespace integcov::coverage {

// A file as the shell saw it.
struct SeenFile {
  FileEntry file;
  // False only when another supervisor holds the folder and the file isn't known to come from one
  // of our own descendants.
  bool own = true;
};

struct ReadyFile {
  FileEntry file;
  FileName name;
};

class ReadySet {
 public:
  enum class Scope {
    everything,     // every regular file
    coverage_only,  // a careless folder (/, /tmp, home, …): covmeta and covcounters only
    own_only,       // another supervisor holds the folder: our descendants' coverage only
  };

  explicit ReadySet(Scope scope) : scope_(scope) {}

  // A file that an earlier run in this folder uploaded to the same place.
  void already_uploaded(const FileEntry& file);

  // The files that became ready by seeing this one: none, itself, or with own_only also the covmeta
  // of its hash. `at_end` is true once the main process has ended. A file that changed (size or
  // mtime) is ready again, at the end only once; a covmeta only if its size changed.
  std::vector<ReadyFile> saw(const SeenFile& seen, bool at_end);

  [[nodiscard]] bool covmeta_seen() const { return covmeta_seen_; }

 private:
  struct Taken {
    FileEntry file;
    bool at_end = false;
  };

  [[nodiscard]] bool wanted(const FileName& name, bool at_end) const;
  [[nodiscard]] bool is_news(const FileEntry& file, FileKind kind) const;
  void take(const FileEntry& file, const FileName& name, bool at_end,
            std::vector<ReadyFile>& ready);

  Scope scope_;
  std::map<std::string, FileEntry> earlier_;       // by path: uploaded by an earlier run
  std::map<std::string, Taken> taken_;             // by path: ready before in this run
  std::map<std::string, FileEntry> waiting_meta_;  // own_only, by hash: no counters of ours yet
  std::set<std::string> own_hashes_;               // own_only: hashes of our counters
  bool covmeta_seen_ = false;
};

}  // namespace integcov::coverage
