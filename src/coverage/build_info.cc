#include "coverage/build_info.h"

#include <algorithm>
#include <vector>

#include "coverage/elf.h"
#include "coverage/leb128.h"

namespace integcov::coverage {
namespace {

constexpr std::string_view kMagic = "\xff Go buildinf:";
constexpr std::size_t kHeaderSize = 32;
constexpr std::size_t kFlagsAt = 15;
constexpr unsigned kInline = 2;            // the strings follow the header
constexpr std::size_t kSentinelSize = 16;  // before and after the module information
constexpr std::uint64_t kMostBytes = 4 << 20;

std::string_view take_until(std::string_view& text, char end) {
  const std::size_t at = text.find(end);
  const std::string_view taken = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
  return taken;
}

// Go quotes what has spaces, quotes or backslashes in it.
std::string unquote(std::string_view text) {
  if (text.size() >= 2 && text.front() == '`' && text.back() == '`') {
    return std::string(text.substr(1, text.size() - 2));
  }
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') return std::string(text);
  std::string plain;
  for (std::size_t i = 1; i + 1 < text.size(); ++i) {
    if (text[i] == '\\' && i + 2 < text.size()) ++i;
    plain += text[i];
  }
  return plain;
}

void read_setting(std::string_view line, BuildInfo& info) {
  const std::string key = unquote(take_until(line, '='));
  if (key == "-cover") info.cover = line == "true";
  if (key == "-coverpkg") info.cover_packages = unquote(line);
  if (key == "vcs.revision") info.revision = unquote(line);
  if (key == "vcs.modified") info.modified = unquote(line);
}

}  // namespace

BuildInfo parse_build_info(std::string_view go_version, std::string_view module_info) {
  BuildInfo info{.go_version = std::string(go_version)};
  while (!module_info.empty()) {
    std::string_view line = take_until(module_info, '\n');
    const std::string_view kind = take_until(line, '\t');
    if (kind == "path") info.path = line;
    if (kind == "mod") {
      info.module = take_until(line, '\t');
      info.module_version = take_until(line, '\t');
    }
    if (kind == "build") read_setting(line, info);
  }
  return info;
}

std::optional<BuildInfo> read_build_info(ByteSource& file) {
  const auto elf = read_elf(file);
  const Section* section = elf ? elf->find(".go.buildinfo") : nullptr;
  if (section == nullptr) return std::nullopt;
  std::string bytes(static_cast<std::size_t>(std::min(section->size, kMostBytes)), '\0');
  if (bytes.size() < kHeaderSize ||
      !file.read(section->offset, std::as_writable_bytes(std::span(bytes)))) {
    return std::nullopt;
  }
  if (!bytes.starts_with(kMagic) || (static_cast<unsigned char>(bytes[kFlagsAt]) & kInline) == 0) {
    return std::nullopt;
  }
  Reader reader(std::string_view(bytes).substr(kHeaderSize));
  const auto string = [&reader] {
    const auto length = reader.uleb();
    return length ? reader.take(*length) : std::nullopt;
  };
  const auto version = string();
  const auto modules = version ? string() : std::nullopt;
  if (!modules || version->empty()) return std::nullopt;
  // Between two sentinels, the second one after a line's end.
  const std::size_t size = modules->size();
  const bool framed = size > 2 * kSentinelSize && (*modules)[size - kSentinelSize - 1] == '\n';
  return parse_build_info(*version, framed
                                        ? modules->substr(kSentinelSize, size - 2 * kSentinelSize)
                                        : std::string_view());
}

}  // namespace integcov::coverage
