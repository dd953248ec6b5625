// Starts of images of programs that were built with -cover, as their covmeta files show them, and
// when who runs is to be looked at because of them: whoever is seen before its first counters file
// can be told later from who starts after that.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"

namespace integcov::supervise {

class ProgramStarts {
 public:
  // Between two looks: a program may start others all the time.
  static constexpr Duration kBetweenLooks = std::chrono::seconds(1);

  // A covmeta file was modified at that time, by the file system's clock. Whether an image has
  // started since the last one of that hash; then a look is due soon.
  bool covmeta_written(const std::string& hash, std::int64_t mtime_ns, MonoTime now);
  // Who runs was looked at, for whatever reason.
  void looked(MonoTime now);
  // Whether it is to be looked at now; once for each time that it is due.
  bool take_look(MonoTime now);
  [[nodiscard]] std::optional<MonoTime> next_look() const { return next_look_; }

  // Of all covmeta files.
  [[nodiscard]] std::vector<std::string> hashes() const;

 private:
  std::map<std::string, std::int64_t> covmeta_ns_;  // by hash: when it was modified last
  std::optional<MonoTime> looked_;
  std::optional<MonoTime> next_look_;
};

}  // namespace integcov::supervise
