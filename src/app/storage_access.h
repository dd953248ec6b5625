// The chosen storage with all that it stands on. Made when the first upload starts: curl and
// OpenSSL cost nothing before that.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "app/preflight.h"
#include "auth/token_cache.h"
#include "event/loop.h"
#include "http/client.h"
#include "storage/backend.h"

namespace integcov::app {

class StorageAccess {
 public:
  // Precondition: plan.config.storage is set. Throws std::runtime_error when curl can't be
  // initialised.
  StorageAccess(event::Loop& loop, const Plan& plan, std::map<std::string, std::string> metadata);
  ~StorageAccess();

  [[nodiscard]] storage::Backend& backend() { return *backend_; }

 private:
  std::unique_ptr<http::Client> client_;
  std::unique_ptr<auth::TokenCache> tokens_;
  std::unique_ptr<storage::Backend> backend_;
};

}  // namespace integcov::app
