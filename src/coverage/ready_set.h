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

  enum class Stage {
    running,
    ending,     // the main process has ended, others may go on writing
    last_look,  // nothing that is written from now on is waited for
  };

  explicit ReadySet(Scope scope) : scope_(scope) {}

  // A file that an earlier run in this folder uploaded to the same place.
  void already_uploaded(const FileEntry& file);

  // The files that became ready by seeing this one: none, itself, or with own_only also the covmeta
  // of its hash. A file that changed (size or mtime) is ready again, at the last look only once; a
  // covmeta only if its size changed.
  std::vector<ReadyFile> saw(const SeenFile& seen, Stage stage);

  [[nodiscard]] bool covmeta_seen() const { return covmeta_seen_; }

 private:
  struct Taken {
    FileEntry file;
    Stage stage = Stage::running;
  };

  [[nodiscard]] bool wanted(const FileName& name, Stage stage) const;
  [[nodiscard]] bool is_news(const FileEntry& file, FileKind kind) const;
  void take(const FileEntry& file, const FileName& name, Stage stage,
            std::vector<ReadyFile>& ready);

  Scope scope_;
  std::map<std::string, FileEntry> earlier_;  // by path: uploaded by an earlier run
  std::map<std::string, Taken> taken_;        // by path: ready before in this run
  // own_only, by hash, then by path: no counters of ours yet.
  std::map<std::string, std::map<std::string, FileEntry>> waiting_meta_;
  std::set<std::string> own_hashes_;  // own_only: hashes of our counters
  bool covmeta_seen_ = false;
};

}  // namespace integcov::coverage
