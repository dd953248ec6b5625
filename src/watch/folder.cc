#include "watch/folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>

#include "coverage/file_name.h"
#include "watch/entries.h"

namespace integcov::watch {
namespace {

// Bounds for folders that aren't what they should be.
constexpr std::size_t kMostFiles = 200'000;
constexpr int kDeepest = 32;

Error failed(const std::string& what, const std::string& path) {
  const int code = errno;
  return {"cannot " + what + ' ' + path + ": " + std::strerror(code), code};
}

UniqueFd open_folder(const std::string& path) {
  return UniqueFd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

FileEntry entry_of(std::string path, const struct stat& info) {
  return {std::move(path), static_cast<std::uint64_t>(info.st_size),
          info.st_mtim.tv_sec * 1'000'000'000LL + info.st_mtim.tv_nsec};
}

void list_into(UniqueFd fd, const std::string& prefix, bool recurse, int depth, Listing& listing) {
  Entries entries(depth > kDeepest ? UniqueFd() : std::move(fd));
  while (const auto entry = entries.next()) {
    if (depth == 0 && entry->name == coverage::kControlFolder) continue;
    std::string path = prefix + entry->name;
    if (S_ISREG(entry->kind)) {
      if (listing.files.size() >= kMostFiles) {
        listing.complete = false;
        return;
      }
      const auto info = entries.look_at(*entry);
      if (info && S_ISREG(info->st_mode)) {
        listing.files.push_back(entry_of(std::move(path), *info));
      } else if (!info && errno != ENOENT) {
        listing.complete = false;
      }
    } else if (S_ISDIR(entry->kind) && recurse) {
      listing.folders.push_back(path);
      UniqueFd below = open_subfolder(entries.folder(), entry->name);
      if (below) {
        list_into(std::move(below), path + '/', recurse, depth + 1, listing);
      } else if (errno != ENOENT) {
        listing.complete = false;
      }
    }
  }
  if (!entries.complete()) listing.complete = false;
}

bool same_folder(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

// Whether `folder` is `path` or one of the folders above it, "/" left out.
bool holds(const struct stat& folder, std::string path) {
  while (path.size() > 1 && path.front() == '/') {
    struct stat info{};
    if (stat(path.c_str(), &info) == 0 && same_folder(folder, info)) return true;
    path.resize(path.rfind('/'));
  }
  return false;
}

}  // namespace

Status make_folder(const std::string& path) {
  struct stat info{};
  if (stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) return Success{};
  for (std::size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
    const std::string part = path.substr(0, slash);
    if (mkdir(part.c_str(), 0700) != 0 && errno != EEXIST) {
      const int error = errno;
      if (stat(part.c_str(), &info) != 0) {
        errno = error;
        return failed("make the folder", part);
      }
    }
    if (slash == std::string::npos) break;
  }
  if (stat(path.c_str(), &info) != 0) return failed("use the folder", path);
  if (!S_ISDIR(info.st_mode)) return Error{path + " is not a folder"};
  return Success{};
}

bool is_careless(const std::string& folder, const std::string& home, const std::string& cwd) {
  struct stat info{};
  if (stat(folder.c_str(), &info) != 0) return false;
  for (const char* shared : {"/", "/tmp", "/var/tmp"}) {
    struct stat other{};
    if (stat(shared, &other) == 0 && same_folder(info, other)) return true;
  }
  if (holds(info, home) || holds(info, cwd)) return true;
  // Where home is a symbolic link, the folders above its target count, too.
  const std::string real_home = home.empty() ? "" : real_path(home);
  return real_home != home && holds(info, real_home);
}

bool same_folder(const std::string& a, const std::string& b) {
  struct stat one{};
  struct stat other{};
  return stat(a.c_str(), &one) == 0 && stat(b.c_str(), &other) == 0 && same_folder(one, other);
}

std::string real_path(const std::string& path) {
  const std::unique_ptr<char, void (*)(void*)> real(realpath(path.c_str(), nullptr), std::free);
  return real ? real.get() : "";
}

Result<Listing> list_folder(const std::string& folder, bool recurse) {
  UniqueFd fd = open_folder(folder);
  if (!fd) return failed("list the folder", folder);
  Listing listing;
  list_into(std::move(fd), "", recurse, 0, listing);
  return listing;
}

Result<UniqueFd> open_below(const std::string& folder, const std::string& path) {
  UniqueFd at = open_folder(folder);
  if (!at) return failed("open", folder);
  std::string_view rest = path;
  while (true) {
    const std::size_t slash = rest.find('/');
    const bool last = slash == std::string_view::npos;
    const std::string name(rest.substr(0, slash));
    if (name.empty() || name == "." || name == "..") return Error{"not a file name: " + path};
    // O_NONBLOCK: a FIFO that took the file's place must not stop us.
    const int flags = last ? O_RDONLY | O_NONBLOCK | O_NOCTTY : O_RDONLY | O_DIRECTORY;
    UniqueFd next(openat(at.get(), name.c_str(), flags | O_NOFOLLOW | O_CLOEXEC));
    if (!next) return failed("open", folder + '/' + path);
    at = std::move(next);
    if (last) break;
    rest.remove_prefix(slash + 1);
  }
  struct stat info{};
  if (fstat(at.get(), &info) != 0) return failed("look at", folder + '/' + path);
  if (!S_ISREG(info.st_mode)) return Error{folder + '/' + path + " is not a regular file"};
  return at;
}

Result<FileEntry> look_at(const std::string& folder, const std::string& path) {
  struct stat info{};
  const std::string whole = folder + '/' + path;
  if (lstat(whole.c_str(), &info) != 0) return failed("look at", whole);
  if (!S_ISREG(info.st_mode)) return Error{whole + " is not a regular file"};
  return entry_of(path, info);
}

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put = write(fd, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return true;
}

Status write_file(const std::string& folder, const std::string& name, std::string_view content,
                  mode_t mode) {
  const std::string path = folder + '/' + name;
  const std::string temporary = folder + "/tmp." + name;
  UniqueFd file(
      open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
  // Some file systems say at the close only that there was no room.
  if (file && write_all(file.get(), content) && close(file.release()) == 0 &&
      rename(temporary.c_str(), path.c_str()) == 0) {
    return Success{};
  }
  const Error error = failed("write", path);
  unlink(temporary.c_str());
  return error;
}

}  // namespace integcov::watch
