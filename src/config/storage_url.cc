#include "config/storage_url.h"

#include <algorithm>

#include "base/encoding.h"
#include "base/path.h"
#include "config/text.h"

namespace integcov::config {
namespace {

constexpr std::string_view kExpected = "; expected gs://bucket/folder or file:///folder";

// Object names end at 1024 bytes of UTF-8. Below the prefix there is room for '/' and the longest
// covcounters.<32 hex>.<pid, 10 digits>.<nanoseconds, 19 digits>.
constexpr std::size_t kMaxObjectName = 1024;
constexpr std::size_t kMaxPrefix = kMaxObjectName - (1 + 12 + 32 + 1 + 10 + 1 + 19);

Error malformed(std::string_view text, std::string_view why) {
  return {quote(text) + " " + std::string(why) + std::string(kExpected)};
}

// cloud.google.com/storage/docs/buckets#naming
bool is_bucket_name(std::string_view name) {
  if (name.size() < 3 || name.size() > 222) return false;
  if (!is_lower_alnum(name.front()) || !is_lower_alnum(name.back())) return false;
  std::size_t component = 0;  // at most 63 characters between dots
  for (const char c : name) {
    if (!is_lower_alnum(c) && c != '-' && c != '_' && c != '.') return false;
    component = c == '.' ? 0 : component + 1;
    if (component > 63) return false;
  }
  return true;
}

std::string_view strip_slashes(std::string_view path) {
  while (path.starts_with('/')) path.remove_prefix(1);
  while (path.ends_with('/')) path.remove_suffix(1);
  return path;
}

Result<StorageLocation> parse_gcs(std::string_view text, std::string_view rest) {
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  const std::string_view bucket = rest.substr(0, slash);
  const std::string_view prefix = strip_slashes(rest.substr(slash));
  if (bucket.empty()) return malformed(text, "has no bucket");
  if (!is_bucket_name(bucket)) {
    return Error{quote(text) + " has the bucket " + quote(bucket) +
                 "; expected 3 to 222 lower-case letters, digits, '-', '_' or '.', with a letter "
                 "or digit at both ends and at most 63 between dots"};
  }
  if (!is_valid_utf8(prefix)) return malformed(text, "has a folder that is not UTF-8");
  if (prefix.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos) {
    return malformed(text, "has a line break or NUL in its folder");
  }
  if (prefix.size() > kMaxPrefix) {
    return Error{quote(text) + " has a folder of " + std::to_string(prefix.size()) +
                 " bytes; expected at most " + std::to_string(kMaxPrefix) +
                 ", since object names end at " + std::to_string(kMaxObjectName)};
  }
  return StorageLocation{GcsLocation{std::string(bucket), std::string(prefix)}};
}

Result<StorageLocation> parse_folder(std::string_view text, std::string_view rest) {
  constexpr std::string_view kLocalhost = "localhost";
  if (lower(rest.substr(0, kLocalhost.size() + 1)) == "localhost/") {
    rest.remove_prefix(kLocalhost.size());
  }
  if (!rest.starts_with('/')) {
    return Error{quote(text) +
                 " has no absolute folder; expected three slashes, as in file:///folder"};
  }
  if (rest.find('\0') != std::string_view::npos) return malformed(text, "has a NUL in its folder");
  return StorageLocation{FolderLocation{absolute_folder(rest, "/")}};
}

}  // namespace

Result<StorageLocation> parse_storage_url(std::string_view text) {
  if (text.empty()) return StorageLocation{};
  constexpr std::string_view kSeparator = "://";
  const std::size_t colon = text.find(kSeparator);
  if (colon == std::string_view::npos) return malformed(text, "is not a storage URL");
  const std::string scheme = lower(text.substr(0, colon));
  const std::string_view rest = text.substr(colon + kSeparator.size());
  if (scheme == "gs") return parse_gcs(text, rest);
  if (scheme == "file") return parse_folder(text, rest);
  if (scheme == "s3" || scheme == "azblob") {
    return malformed(text, "is not possible yet: " + scheme + ":// is not supported");
  }
  return malformed(text, "has an unknown scheme");
}

std::string to_string(const StorageLocation& location) {
  if (const auto* folder = std::get_if<FolderLocation>(&location)) return "file://" + folder->path;
  if (const auto* gcs = std::get_if<GcsLocation>(&location)) {
    return "gs://" + gcs->bucket + (gcs->prefix.empty() ? "" : "/" + gcs->prefix);
  }
  return "";
}

std::string object_name(const GcsLocation& location, std::string_view path) {
  std::string name = location.prefix;
  if (!name.empty()) name += '/';
  return name.append(path);
}

}  // namespace integcov::config
