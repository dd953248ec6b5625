#include "base/path.h"

#include <vector>

namespace integcov {
namespace {

std::string normal(std::string_view path) {
  if (path.empty()) return "";
  const bool rooted = path.front() == '/';
  std::vector<std::string_view> names;
  std::string_view name;
  for (std::size_t at = 0; at <= path.size(); at += name.size() + 1) {
    name = path.substr(at, path.find('/', at) - at);
    if (name.empty() || name == ".") continue;
    const bool up = name == "..";
    if (up && !names.empty() && names.back() != "..") {
      names.pop_back();
    } else if (!up || !rooted) {
      names.push_back(name);
    }
  }
  if (names.empty()) return rooted ? "/" : ".";
  std::string result;
  for (const std::string_view kept : names) {
    if (rooted || !result.empty()) result += '/';
    result += kept;
  }
  const bool names_a_folder = name.empty() || name == "." || name == "..";
  if (names_a_folder && names.back() != "..") result += '/';
  return result;
}

}  // namespace

std::string join_path(std::string_view folder, std::string_view path) {
  if (folder.empty() || path.starts_with('/')) return std::string(path);
  std::string result(folder);
  if (!result.ends_with('/')) result += '/';
  return result += path;
}

std::string absolute_path(std::string_view path, std::string_view cwd) {
  return normal(join_path(cwd, path));
}

std::string absolute_folder(std::string_view path, std::string_view cwd) {
  std::string result = absolute_path(path, cwd);
  if (result.size() > 1 && result.ends_with('/')) result.pop_back();
  return result;
}

}  // namespace integcov
