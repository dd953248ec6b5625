// Which images of programs have started in the folder: in the order in which Go's runtime began to
// write their covmeta, each one a file of its own that is renamed at its end. One image of a
// process can be told from the next, also when the process is gone, if all that started since it
// was seen are known to be other ones.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>

namespace integcov::supervise {

struct ImageStart {
  std::uint64_t tick = 0;      // when it was told, in clock ticks since boot
  std::uint64_t time_ns = 0;   // when it said so itself (CLOCK_REALTIME); 0: not known
  std::uint32_t last_pid = 0;  // that had been given to any process when it was told; 0: not known
};

class Starts {
 public:
  using Count = std::uint64_t;  // of those that were told: the first so many

  // What was longer ago can't be told any more.
  static constexpr std::size_t kMost = 500;
  // How far all_known() looks before what it is asked, and behind: who has started since is found
  // out some tenths of a second later.
  static constexpr Count kReachBack = 32;
  static constexpr Count kReach = 250;

  // From now on each start will be told, and what there was before may not have been. `tick`: now,
  // in clock ticks since boot.
  void watched(std::uint64_t tick);
  // Some may not have been told, although they should.
  void missed(std::uint64_t tick) {
    if (watching_) watched(tick);
  }
  // No start will be told any more.
  void unwatched() { watching_ = false; }
  [[nodiscard]] bool watching() const { return watching_; }
  // An image of a program with that covmeta has, by now.
  void started(const std::string& hash, const ImageStart& start) { add(program_of(hash), start); }

  // All that were told. A look that was taken before this was asked came after them.
  [[nodiscard]] Count count() const { return first_ + log_.size(); }
  // Those that surely came before a process that began its life in that tick.
  [[nodiscard]] Count before(std::uint64_t tick) const;
  // Likewise before a process got that pid, one of those that were given since `last_pid` was,
  // which was before all but the first `from`: so that pids have not begun anew.
  [[nodiscard]] Count before(std::uint32_t pid, Count from, std::uint32_t last_pid) const;
  // Without those at the end of the first `count` that surely came later.
  [[nodiscard]] Count not_after(std::uint64_t time_ns, Count count) const;

  // It is known of one image that its start is none of the first `after`, but one of the first
  // `by`. Once for each image.
  void known(const std::string& hash, Count after, Count by);

  // A stretch of the log: none of the first `after`, but of the first `by`.
  struct Stretch {
    Count after = 0;
    Count by = 0;
  };
  // Without those at both ends that surely came by the one time, or later than the other.
  [[nodiscard]] Stretch between(std::uint64_t since_ns, std::uint64_t until_ns,
                                Stretch stretch) const;
  // Whether each of that hash in it is of an image that is known.
  [[nodiscard]] bool all_known(const std::string& hash, Stretch stretch) const;

 private:
  using Program = std::size_t;            // a hash's number
  static constexpr Program kMissing = 0;  // of none: some may be missing here
  struct Start {
    Program program = kMissing;
    ImageStart told;
  };
  struct Known {
    Program program = kMissing;
    Count after = 0;
    Count by = 0;
  };

  Program program_of(const std::string& hash);
  void add(Program program, const ImageStart& start);
  // Precondition: after >= first_.
  [[nodiscard]] bool any_of(Program program, Count after, Count by) const;
  // The last of the first `count`.
  [[nodiscard]] const Start& at(Count count) const { return log_[count - first_ - 1]; }

  bool watching_ = false;
  Count first_ = 0;  // so many are forgotten
  std::deque<Start> log_;
  std::deque<Known> known_;
  std::map<std::string, Program> programs_;
};

}  // namespace integcov::supervise
