// Where uploads go, as the user writes it: gs://bucket/folder or file:///folder.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"

namespace integcov::config {

struct GcsLocation {
  std::string bucket;
  // Literal UTF-8: no percent-decoding, "." and ".." and doubled slashes inside are kept. No '/' at
  // either end, no CR, LF or NUL; empty for the bucket's root.
  std::string prefix;

  friend bool operator==(const GcsLocation&, const GcsLocation&) = default;
};

struct FolderLocation {
  std::string path;  // absolute and lexically normal, literal bytes

  friend bool operator==(const FolderLocation&, const FolderLocation&) = default;
};

// monostate: no storage is set.
using StorageLocation = std::variant<std::monostate, FolderLocation, GcsLocation>;

// An empty text is no storage.
Result<StorageLocation> parse_storage_url(std::string_view text);

// The inverse: parse_storage_url(to_string(x)) is x for every x that it gave.
std::string to_string(const StorageLocation& location);

// `path` is relative to GOCOVERDIR. GCS refuses the names "." and "..": no file is called that.
std::string object_name(const GcsLocation& location, std::string_view path);

}  // namespace integcov::config
