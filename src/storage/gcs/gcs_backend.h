// Storage in a bucket of Google Cloud Storage (or an emulator of it).
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "auth/token_cache.h"
#include "event/loop.h"
#include "http/client.h"
#include "storage/backend.h"

namespace integcov::storage::gcs {

struct GcsOptions {
  std::string base_url = "https://storage.googleapis.com";  // without a final '/'
  std::string bucket;
  std::string prefix;                           // may be empty; object names are PREFIX/PATH
  std::map<std::string, std::string> metadata;  // custom metadata of each object
  std::string user_project;                     // who pays; may be empty
  std::string kms_key;                          // may be empty
  std::uint64_t chunk_size = 0;  // of resumable uploads, a multiple of 256 KiB; 0: no chunks
  std::string quota_project;     // of the credentials; used when user_project is empty
  bool through_proxy = true;     // false: never through a proxy (an emulator on this host)
  Duration warm_for = std::chrono::seconds(1);  // a connection, since its last answer
};

class GcsBackend : public Backend {
 public:
  // `tokens` null: requests carry no credentials (an emulator). `random_boundary` gives 128 random
  // bits as text. What is passed by reference or pointer must outlive the backend, and the backend
  // its attempts.
  GcsBackend(event::Loop& loop, http::Client& client, auth::TokenCache* tokens, GcsOptions options,
             std::function<std::string()> random_boundary);
  ~GcsBackend() override;

  // One attempt per id at a time. After a retryable failure the next attempt of the same id goes on
  // where the last one stopped, if the file is still the same.
  std::unique_ptr<Attempt> upload(UploadRequest request, Done done) override;

  // Gets a token and opens one more connection, by a look at an object: whatever the answer is
  // (403, 404), it needs no permission and changes nothing. Then the one that was idle gets its
  // congestion window back, or a third gets one if it will have been closed. One that is ready
  // stays free for an upload that comes meanwhile. Nothing is asked when the service has just
  // answered.
  void prepare() override;

 private:
  struct Shared;
  class Transfer;
  class WarmUp;
  std::unique_ptr<Shared> shared_;
  std::unique_ptr<WarmUp> warm_up_;  // the last one
};

}  // namespace integcov::storage::gcs
