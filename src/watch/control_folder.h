// $GOCOVERDIR/.integcov, the supervisor's own folder: the lock, the ledger of what was uploaded
// (src/upload/ledger.h) and the notes of who wrote what (src/supervise/writer_notes.h).
#pragma once

#include <array>
#include <string>

#include "base/unique_fd.h"

namespace integcov::watch {

// One at a time: runs that leave a folder, so that none passes by another one's. Waits a second at
// most, and is then without effect. An empty fd: there is no .integcov.
UniqueFd leave_alone(const std::string& coverdir);

class ControlFolder {
 public:
  enum class Lock {
    held,         // the folder is ours until we end
    taken,        // another supervisor has it
    unavailable,  // no lock can be made here (read-only, full)
    forbidden,    // .integcov belongs to another user: who else uses the folder can't be told
  };

  // Makes .integcov in the folder if need be, and tries the lock (flock(2), released by the kernel
  // however we end).
  explicit ControlFolder(const std::string& coverdir);

  [[nodiscard]] Lock lock() const { return lock_; }

  // A text that lines are added to.
  enum class Text { ledger, writers };

  // "" if there is none.
  [[nodiscard]] std::string read(Text text) const;
  // Begins it anew; false if it can't be written: then it is as if there were none.
  bool begin(Text text, const std::string& content);
  // Precondition for an effect: it was begun.
  void append(Text text, const std::string& line);
  // False if it is still there.
  bool remove(Text text);

  // That no process of the run is left which could write to the folder: it was the run's own.
  void note_end();
  [[nodiscard]] bool has_ended() const;

 private:
  UniqueFd folder_;
  UniqueFd lock_file_;
  std::array<UniqueFd, 2> texts_;  // those that were begun
  Lock lock_ = Lock::unavailable;
};

}  // namespace integcov::watch
