// GOCOVERDIR on disk: making, listing and opening, never through a symbolic link below it.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/file_entry.h"
#include "base/result.h"
#include "base/unique_fd.h"

namespace integcov::watch {

// Makes the folder (mode 0700) and the folders above it that are missing. Fine if it is there.
Status make_folder(const std::string& path);

// Whether the user is likely to keep other things there: /, /tmp, /var/tmp, the home or working
// directory, or a folder above one of these two. `home` may be empty.
bool is_careless(const std::string& folder, const std::string& home, const std::string& cwd);

// Whether both paths lead to one folder.
bool same_folder(const std::string& a, const std::string& b);

// The absolute path without symbolic links; empty if there is nothing at `path`.
std::string real_path(const std::string& path);

struct Listing {
  std::vector<FileEntry> files;      // regular files, in no particular order
  std::vector<std::string> folders;  // subfolders, relative; never .integcov
  bool complete = true;              // false: some folder could not be read, or there were too many
};

// The errors below carry the errno: ENOENT (it is gone), EMFILE (later, perhaps) …

// With `recurse` also what lies in subfolders. The control folder and symbolic links are left out.
Result<Listing> list_folder(const std::string& folder, bool recurse);

// Opens a regular file below the folder for reading; `path` as in FileEntry.
Result<UniqueFd> open_below(const std::string& folder, const std::string& path);

// A file event names a path: what is there now. Error if it isn't a regular file (any more).
Result<FileEntry> look_at(const std::string& folder, const std::string& path);

// All of it; false with errno set.
bool write_all(int fd, std::string_view bytes);

// A new file: it appears whole, replaces what has the name, or there is none. As Go does it: under
// a name that starts with "tmp.", then a rename.
Status write_file(const std::string& folder, const std::string& name, std::string_view content,
                  mode_t mode);

}  // namespace integcov::watch
