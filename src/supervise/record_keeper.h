// Collects what the run's end record says.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "coverage/file_name.h"
#include "supervise/run_record.h"

namespace integcov::supervise {

class RecordKeeper {
 public:
  static constexpr std::size_t kMostProcesses = 10'000;

  // Counters have that path in GOCOVERDIR.
  void saw(const std::string& path) {
    if (objects_.contains(path)) return;
    complete_ &= objects_.size() < kMostProcesses;
    if (complete_) objects_[path];
  }
  // They are being sent under that name; what was sent before and isn't stored has no name.
  void sends(const std::string& path, const std::string& object) {
    if (const auto known = objects_.find(path); known != objects_.end()) {
      known->second.sent = object;
    }
  }
  void stored(const std::string& path) {
    const auto known = objects_.find(path);
    if (known == objects_.end()) return;
    auto& [stored, sent] = known->second;
    if (!sent.empty() && std::ranges::find(stored, sent) == stored.end()) stored.push_back(sent);
  }
  // An older version has the name that it is sent under.
  [[nodiscard]] bool is_stored(const std::string& path) const {
    const auto known = objects_.find(path);
    return known != objects_.end() && std::ranges::find(known->second.stored, known->second.sent) !=
                                          known->second.stored.end();
  }

  [[nodiscard]] EndOfRun end(ExitStatus status, std::string flush) const {
    EndOfRun end{
        .status = status, .flush = std::move(flush), .processes = {}, .complete = complete_};
    for (const auto& [path, names] : objects_) {
      coverage::FileName name = coverage::parse_file_name(path);
      std::vector<std::string> objects = names.stored;
      const std::string& sent = names.sent.empty() ? path : names.sent;
      if (std::ranges::find(objects, sent) == objects.end()) objects.push_back(sent);
      end.processes.push_back({name.pid, std::move(name.hash), std::move(objects)});
    }
    return end;
  }

 private:
  struct Names {
    std::vector<std::string> stored;
    std::string sent;  // the last one
  };
  std::map<std::string, Names> objects_;  // by path
  bool complete_ = true;
};

}  // namespace integcov::supervise
