// A place that keeps uploaded files. Implementations: gcs/ (Google Cloud Storage), file/ (a
// folder).
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/file_entry.h"
#include "base/unique_fd.h"
#include "upload/outcome.h"

namespace integcov::storage {

struct UploadRequest {
  upload::UploadId id = 0;  // the same for all attempts at one file: a resumable one goes on
  FileEntry file;
  std::string object;     // its name below the configured prefix; empty: file.path
  bool replaces = false;  // an older version of the object may be there and is ours
  UniqueFd content;       // open for reading, a regular file

  [[nodiscard]] const std::string& name() const { return object.empty() ? file.path : object; }
};

// One attempt under way. Destroying it cancels; `done` is then never called.
class Attempt {
 public:
  virtual ~Attempt() = default;
};

class Backend {
 public:
  // Called once, from the event loop, never from inside upload(). It may destroy the Attempt.
  using Done = std::function<void(upload::Outcome)>;

  virtual ~Backend() = default;
  // Tries once: several attempts of different ids may run side by side.
  virtual std::unique_ptr<Attempt> upload(UploadRequest request, Done done) = 0;

  // The last uploads will come soon: makes ready what they need, in the background.
  virtual void prepare() {}
};

}  // namespace integcov::storage
