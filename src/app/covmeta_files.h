// GOCOVERDIR, for snapshots: which covmeta files are there.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "coverage/meta_header.h"

namespace integcov::app {

class CovmetaFiles {
 public:
  explicit CovmetaFiles(std::string path) : path_(std::move(path)) {}

  // Of all covmeta files.
  [[nodiscard]] std::vector<coverage::MetaHash> hashes() const;

  // The counter mode of the covmeta file with that hash; nullopt while there is none.
  std::optional<coverage::CounterMode> mode(const coverage::MetaHash& hash);

 private:
  std::string path_;
  std::map<coverage::MetaHash, coverage::CounterMode> modes_;
};

}  // namespace integcov::app
