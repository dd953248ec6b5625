#include "app/storage_access.h"

#include <utility>

#include "app/deferred_relocations.h"
#include "app/identity.h"
#include "auth/metadata_server.h"
#include "auth/token_sources.h"
#include "base/encoding.h"
#include "http/curl_client.h"
#include "storage/file/folder_backend.h"
#include "storage/gcs/gcs_backend.h"

namespace integcov::app {
namespace {

constexpr const char* kUserAgent = "go-integcov/" INTEGCOV_VERSION;

std::unique_ptr<auth::TokenSource> token_source(event::Loop& loop, http::Client& client,
                                                const Plan& plan) {
  if (const auto* metadata = std::get_if<MetadataServerAt>(&plan.access)) {
    return std::make_unique<auth::MetadataServer>(client, metadata->host, plan.universe);
  }
  return auth::make_token_source(loop, client, std::get<auth::Credentials>(plan.access));
}

}  // namespace

StorageAccess::StorageAccess(event::Loop& loop, const Plan& plan,
                             std::map<std::string, std::string> metadata) {
  if (const auto* folder = std::get_if<config::FolderLocation>(&plan.config.storage)) {
    backend_ = std::make_unique<storage::file::FolderBackend>(loop, folder->path);
    return;
  }
  relocate_deferred();
  const auto& location = std::get<config::GcsLocation>(plan.config.storage);
  storage::gcs::GcsOptions options;
  options.bucket = location.bucket;
  options.prefix = location.prefix;
  options.metadata = std::move(metadata);
  options.user_project = plan.config.gcs.user_project;
  options.kms_key = plan.config.gcs.kms_key;
  options.chunk_size = plan.config.gcs.chunk_size;
  options.quota_project = plan.quota_project;
  options.base_url = "https://storage." + plan.universe;
  if (!plan.config.gcs.endpoint.empty()) options.base_url = plan.config.gcs.endpoint;

  client_ = std::make_unique<http::CurlClient>(
      loop, http::CurlOptions{.ca_file = plan.ca_file, .user_agent = kUserAgent});
  if (const auto* emulator = std::get_if<Emulator>(&plan.access)) {
    options.base_url = emulator->base_url;
    options.through_proxy = !is_loopback(emulator->base_url);
  } else {
    tokens_ = std::make_unique<auth::TokenCache>(token_source(loop, *client_, plan));
  }
  backend_ =
      std::make_unique<storage::gcs::GcsBackend>(loop, *client_, tokens_.get(), std::move(options),
                                                 [] { return hex_encode(random_bytes(16)); });
}

StorageAccess::~StorageAccess() = default;

}  // namespace integcov::app
