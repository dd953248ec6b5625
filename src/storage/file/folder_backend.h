// Storage in a local folder. A file appears there whole, by rename, or not at all; it is not
// fsynced: coverage that a power failure takes is collected again.
#pragma once

#include <memory>
#include <string>

#include "event/loop.h"
#include "storage/backend.h"

namespace integcov::storage::file {

class FolderBackend : public Backend {
 public:
  // `folder` is an absolute path; it and the subfolders of file names are made when missing.
  // The loop must outlive the attempts.
  FolderBackend(event::Loop& loop, std::string folder);

  // A target with equal content is left alone (already_there); other content is replaced.
  std::unique_ptr<Attempt> upload(UploadRequest request, Done done) override;

 private:
  event::Loop& loop_;
  std::string folder_;
};

// May the error of a system call that writes a file go away by itself (a full disk does, a
// read-only one doesn't)?
bool worth_retrying(int error);

}  // namespace integcov::storage::file
