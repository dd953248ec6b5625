#include "coverage/ready_set.h"

#include <utility>

namespace integcov::coverage {

void ReadySet::already_uploaded(const FileEntry& file) { earlier_[file.path] = file; }

std::optional<ReadyFile> ReadySet::saw(const FileEntry& file, Stage stage) {
  FileName name = parse_file_name(file.path);
  if (is_of_this_run(file, name)) {
    covmeta_seen_ |= name.kind == FileKind::covmeta;
    counters_seen_ |= name.kind == FileKind::covcounters;
  }
  if (!wanted(name.kind, stage) || !is_news(file, name.kind)) return std::nullopt;
  taken_[file.path] = {file, stage};
  return ReadyFile{file, std::move(name), stored_before(file.path)};
}

bool ReadySet::wanted(FileKind kind, Stage stage) const {
  switch (kind) {
    case FileKind::covmeta:
    case FileKind::covcounters:
    case FileKind::record: return true;
    case FileKind::temporary:
    case FileKind::control: return false;
    case FileKind::other:
      return scope_ == Scope::everything && (stage == Stage::ending || stage == Stage::last_look);
  }
  return false;
}

bool ReadySet::is_news(const FileEntry& file, FileKind kind) const {
  if (const auto earlier = earlier_.find(file.path);
      earlier != earlier_.end() && earlier->second == file) {
    return false;
  }
  const auto before = taken_.find(file.path);
  if (before == taken_.end()) return true;
  if (before->second.stage >= Stage::last_look || before->second.file == file) return false;
  // Go renames an equal covmeta over itself at every start: only its time differs.
  return kind != FileKind::covmeta || before->second.file.size != file.size;
}

}  // namespace integcov::coverage
