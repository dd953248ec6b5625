// $GOCOVERDIR/.integcov, the supervisor's own folder: the lock and the ledger of what was uploaded.
#pragma once

#include <string>
#include <vector>

#include "base/file_entry.h"
#include "base/unique_fd.h"

namespace integcov::watch {

class ControlFolder {
 public:
  enum class Lock {
    held,         // the folder is ours until we end
    taken,        // another supervisor has it
    unavailable,  // no lock can be made here (read-only, full): as if it were ours
    forbidden,    // .integcov belongs to another user: who else uses the folder can't be told
  };

  // Makes .integcov in the folder if need be, and tries the lock (flock(2), released by the kernel
  // however we end).
  explicit ControlFolder(const std::string& coverdir);

  [[nodiscard]] Lock lock() const { return lock_; }

  // The ledger's text (src/upload/ledger.h); "" if there is none.
  [[nodiscard]] std::string read_ledger() const;
  // Replaces it; false if it can't be written: then it is as if there were none.
  bool write_ledger(const std::string& text);
  void append_to_ledger(const std::string& line);

 private:
  UniqueFd folder_;
  UniqueFd lock_file_;
  UniqueFd ledger_;
  Lock lock_ = Lock::unavailable;
};

}  // namespace integcov::watch
