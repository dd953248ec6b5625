#include "coverage/ready_set.h"

namespace integcov::coverage {

void ReadySet::already_uploaded(const FileEntry& file) { earlier_[file.path] = file; }

std::vector<ReadyFile> ReadySet::saw(const SeenFile& seen, bool at_end) {
  std::vector<ReadyFile> ready;
  const FileName name = parse_file_name(seen.file.path);
  if (!wanted(name, at_end)) return ready;

  if (scope_ != Scope::own_only) {
    take(seen.file, name, at_end, ready);
  } else if (name.kind == FileKind::covmeta) {
    // A covmeta doesn't say whose it is: it is ours once counters of ours name its hash.
    if (own_hashes_.contains(name.hash)) {
      take(seen.file, name, at_end, ready);
    } else {
      waiting_meta_[name.hash] = seen.file;
      covmeta_seen_ = true;
    }
  } else if (seen.own) {
    own_hashes_.insert(name.hash);
    if (const auto meta = waiting_meta_.extract(name.hash)) {
      take(meta.mapped(), parse_file_name(meta.mapped().path), at_end, ready);
    }
    take(seen.file, name, at_end, ready);
  }
  return ready;
}

bool ReadySet::wanted(const FileName& name, bool at_end) const {
  switch (name.kind) {
    case FileKind::covmeta:
    case FileKind::covcounters: return true;
    case FileKind::temporary:
    case FileKind::control: return false;
    case FileKind::other: return at_end && scope_ == Scope::everything;
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
  if (before->second.at_end || before->second.file == file) return false;
  // Go renames an equal covmeta over itself at every start: only its time differs.
  return kind != FileKind::covmeta || before->second.file.size != file.size;
}

void ReadySet::take(const FileEntry& file, const FileName& name, bool at_end,
                    std::vector<ReadyFile>& ready) {
  if (name.kind == FileKind::covmeta) covmeta_seen_ = true;
  if (!is_news(file, name.kind)) return;
  taken_[file.path] = {file, at_end};
  ready.push_back({file, name});
}

}  // namespace integcov::coverage
