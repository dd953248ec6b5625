// Paths as text; no file is looked at, so ".." takes back the name before it even where that is a
// symbolic link. Normal is what std::filesystem::path::lexically_normal() calls so.
#pragma once

#include <string>
#include <string_view>

namespace integcov {

// `path` below `folder`, or `path` itself if it is absolute.
std::string join_path(std::string_view folder, std::string_view path);

// That in normal form: no ".", no doubled '/', ".." only at the start of a relative one. A '/' at
// the end stays, since it asks for a folder. Relative only if `path` is and `cwd` is empty.
std::string absolute_path(std::string_view path, std::string_view cwd);

// The same without a '/' at the end, but for the root.
std::string absolute_folder(std::string_view path, std::string_view cwd);

}  // namespace integcov
