#include "coverage/ready_set.h"

namespace integcov::coverage {

void ReadySet::already_uploaded(const FileEntry& file) { earlier_[file.path] = file; }

std::vector<ReadyFile> ReadySet::saw(const SeenFile& seen, Stage stage) {
  std::vector<ReadyFile> ready;
  const FileName name = parse_file_name(seen.file.path);
  if (!wanted(name, stage)) return ready;

  if (scope_ != Scope::own_only) {
    take(seen.file, name, stage, ready);
  } else if (name.kind == FileKind::covmeta) {
    // A covmeta doesn't say whose it is: it is ours once counters of ours name its hash.
    if (own_hashes_.contains(name.hash)) {
      take(seen.file, name, stage, ready);
    } else {
      waiting_meta_[name.hash][seen.file.path] = seen.file;
      covmeta_seen_ = true;
    }
  } else if (seen.own) {
    own_hashes_.insert(name.hash);
    if (const auto metas = waiting_meta_.extract(name.hash)) {
      for (const auto& [path, meta] : metas.mapped()) {
        take(meta, parse_file_name(path), stage, ready);
      }
    }
    take(seen.file, name, stage, ready);
  }
  return ready;
}

bool ReadySet::wanted(const FileName& name, Stage stage) const {
  switch (name.kind) {
    case FileKind::covmeta:
    case FileKind::covcounters: return true;
    case FileKind::temporary:
    case FileKind::control: return false;
    case FileKind::other: return stage != Stage::running && scope_ == Scope::everything;
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
  if (before->second.stage == Stage::last_look || before->second.file == file) return false;
  // Go renames an equal covmeta over itself at every start: only its time differs.
  return kind != FileKind::covmeta || before->second.file.size != file.size;
}

void ReadySet::take(const FileEntry& file, const FileName& name, Stage stage,
                    std::vector<ReadyFile>& ready) {
  if (name.kind == FileKind::covmeta) covmeta_seen_ = true;
  if (!is_news(file, name.kind)) return;
  taken_[file.path] = {file, stage};
  ready.push_back({file, name});
}

}  // namespace integcov::coverage
