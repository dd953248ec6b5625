// Settings of Google Cloud Storage beside the bucket.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace integcov::config {

struct GcsOptions {
  std::string user_project;      // billed for requests; empty: the bucket's owner is
  std::string kms_key;           // projects/…/cryptoKeys/…; empty: the bucket's default
  std::string endpoint;          // https://…, no '/' at the end; empty: storage.googleapis.com
  std::uint64_t chunk_size = 0;  // bytes, a multiple of kChunkQuantum; 0: the rest in one PUT

  friend bool operator==(const GcsOptions&, const GcsOptions&) = default;
};

// Every chunk of a resumable upload but the last is a multiple of this
// (cloud.google.com/storage/docs/performing-resumable-uploads).
inline constexpr std::uint64_t kChunkQuantum = std::uint64_t{256} * 1024;

Result<std::string> parse_project(std::string_view text);
Result<std::string> parse_kms_key(std::string_view text);
// https only, host, optional port and path; the '/' at the end is dropped.
Result<std::string> parse_endpoint(std::string_view text);
// Bytes, or with K, M, G, KiB, MiB, GiB (all binary, in any case of letters).
Result<std::uint64_t> parse_chunk_size(std::string_view text);

}  // namespace integcov::config
