// A name is classified as Go writes it: what is coverage can be written again from its parts.
#include <cstdint>
#include <string>
#include <string_view>

#include "coverage/file_name.h"

namespace {

using integcov::coverage::FileKind;
using integcov::coverage::FileName;
using integcov::coverage::parse_file_name;

void require(bool kept) {
  if (!kept) __builtin_trap();
}

std::string without_leading_zeros(std::string_view digits) {
  const std::size_t first = digits.find_first_not_of('0');
  return std::string(first == digits.npos ? "0" : digits.substr(first));
}

void check_parts(const FileName& name, std::string_view base) {
  if (name.kind == FileKind::temporary && !name.hash.empty()) {
    const std::string front = "tmp.covmeta." + name.hash;
    require(base.starts_with(front));
    require(name.hash.size() == 32 && name.pid == 0);
    const std::string_view time = base.substr(front.size());
    require(name.time_ns == 0 || without_leading_zeros(time) == std::to_string(name.time_ns));
    return;
  }
  if (!integcov::coverage::is_coverage(name.kind)) {
    require(name.hash.empty() && name.pid == 0 && name.time_ns == 0);
    return;
  }
  require(name.hash.size() == 32);
  require(name.hash.find_first_not_of("0123456789abcdef") == std::string::npos);
  if (name.kind == FileKind::covmeta) {
    require(base == "covmeta." + name.hash);
    require(name.pid == 0 && name.time_ns == 0);
    return;
  }
  const std::string front = "covcounters." + name.hash + '.';
  require(base.starts_with(front));
  const std::string_view numbers = base.substr(front.size());
  const std::size_t dot = numbers.find('.');
  require(without_leading_zeros(numbers.substr(0, dot)) == std::to_string(name.pid));
  require(without_leading_zeros(numbers.substr(dot + 1)) == std::to_string(name.time_ns));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view path(reinterpret_cast<const char*>(data), size);
  const FileName name = parse_file_name(path);
  const std::string_view base = path.substr(path.rfind('/') + 1);
  const bool below_control = path == ".integcov" || path.starts_with(".integcov/");
  require((name.kind == FileKind::control) == below_control);
  if (!below_control) {
    require((name.kind == FileKind::temporary) == base.starts_with("tmp."));
    const FileName alone = parse_file_name(base);
    if (alone.kind != FileKind::control) require(alone.kind == name.kind);
    require(parse_file_name("sub/" + std::string(path)).kind == name.kind);
  }
  check_parts(name, base);
  return 0;
}
