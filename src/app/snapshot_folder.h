// GOCOVERDIR, for snapshots: which covmeta files are there, and a new counters file.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "coverage/meta_header.h"

namespace integcov::app {

class SnapshotFolder {
 public:
  explicit SnapshotFolder(std::string path) : path_(std::move(path)) {}

  // Of all covmeta files.
  [[nodiscard]] std::vector<coverage::MetaHash> hashes() const;

  // The counter mode of the covmeta file with that hash; nullopt while there is none.
  std::optional<coverage::CounterMode> mode(const coverage::MetaHash& hash);

  // As Go does it: a file whose name starts with "tmp.", then a rename.
  [[nodiscard]] Status write(const std::string& name, const std::string& bytes) const;

 private:
  std::string path_;
  std::map<coverage::MetaHash, coverage::CounterMode> modes_;
};

}  // namespace integcov::app
