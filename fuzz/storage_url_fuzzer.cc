// Invariants of the storage URL grammar (src/config/storage_url.h).
#include <cstdint>
#include <string>
#include <string_view>

#include "base/encoding.h"
#include "config/storage_url.h"

namespace {

using namespace integcov;
using namespace integcov::config;

void require(bool holds) {
  if (!holds) __builtin_trap();
}

void check(const FolderLocation& folder) {
  const std::string path = folder.path + "/";
  require(folder.path.starts_with('/'));
  require(folder.path == "/" || !folder.path.ends_with('/'));
  require(folder.path.find('\0') == std::string::npos);
  require(folder.path.find("//") == std::string::npos);
  require(path.find("/./") == std::string::npos);
  require(path.find("/../") == std::string::npos);
}

void check(const GcsLocation& gcs) {
  require(gcs.bucket.size() >= 3 && gcs.bucket.size() <= 222);
  require(gcs.bucket.find('/') == std::string::npos);
  require(!gcs.prefix.starts_with('/') && !gcs.prefix.ends_with('/'));
  const std::string covmeta = object_name(gcs, "covmeta.00000000000000000000000000000000");
  const std::string name =
      object_name(gcs, "covcounters.00000000000000000000000000000000.4194304.1700000000000000000");
  require(!name.starts_with('/') && name.size() <= 1024);
  require(name.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos);
  require(is_valid_utf8(name) && name != covmeta);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const Result<StorageLocation> location = parse_storage_url(text);
  if (!location) {
    require(!location.message().empty() && printable(location.message()) == location.message());
    return 0;
  }
  if (const auto* folder = std::get_if<FolderLocation>(&*location)) check(*folder);
  if (const auto* gcs = std::get_if<GcsLocation>(&*location)) check(*gcs);
  require(std::holds_alternative<std::monostate>(*location) == text.empty());

  const Result<StorageLocation> again = parse_storage_url(to_string(*location));
  require(again.ok() && *again == *location);
  return 0;
}
