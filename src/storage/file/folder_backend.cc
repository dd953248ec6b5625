#include "storage/file/folder_backend.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <system_error>
#include <utility>

#include "base/encoding.h"
#include "event/timer.h"
#include "storage/content_reader.h"

namespace integcov::storage::file {
namespace {

using upload::Failed;
using upload::Outcome;
using upload::Stored;

// Relative, without empty, "." and ".." components.
bool is_safe_path(std::string_view path) {
  if (path.empty() || path.find('\0') != std::string_view::npos) return false;
  for (;;) {
    const auto slash = path.find('/');
    const std::string_view component = path.substr(0, slash);
    if (component.empty() || component == "." || component == "..") return false;
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
  }
}

// As mkdir -p; 0 or an errno.
int make_folders(const std::string& path) {
  if (::mkdir(path.c_str(), 0777) == 0 || errno == EEXIST) return 0;
  const auto slash = path.find_last_of('/');
  if (errno != ENOENT || slash == 0 || slash == std::string::npos) return errno;
  if (const int error = make_folders(path.substr(0, slash)); error != 0) return error;
  return ::mkdir(path.c_str(), 0777) == 0 || errno == EEXIST ? 0 : errno;
}

int write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return 0;
}

bool holds_at(int fd, std::uint64_t offset, std::string_view bytes) {
  std::string buffer(bytes.size(), '\0');
  std::size_t got = 0;
  while (got < buffer.size()) {
    const ssize_t n =
        ::pread(fd, buffer.data() + got, buffer.size() - got, static_cast<off_t>(offset + got));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    got += static_cast<std::size_t>(n);
  }
  return buffer == bytes;
}

std::string temporary_name() {
  std::array<char, 8> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) < 0) bytes[0] = 1;  // O_EXCL guards uniqueness
  return ".integcov-tmp." + hex_encode({bytes.data(), bytes.size()});
}

// First compares with what is there, then copies if need be; one slice per turn of the loop.
class Copy : public Attempt {
 public:
  Copy(event::Loop& loop, const std::string& folder, UploadRequest request, Backend::Done done)
      : folder_(folder),
        request_(std::move(request)),
        done_(std::move(done)),
        reader_(begin_reading()),
        timer_(loop, [this] { step(); }) {
    const std::string& path = request_.name();
    const auto slash = path.find_last_of('/');
    name_ = path.substr(slash == std::string::npos ? 0 : slash + 1);
    if (slash != std::string::npos) folder_ += "/" + path.substr(0, slash);
    timer_.arm(Duration::zero());
  }
  ~Copy() override { remove_temporary(); }

 private:
  [[nodiscard]] ContentReader begin_reading() const {
    return ContentReader(request_.content.get(), writers_of(request_.file.path));
  }

  void step() {
    if (!folder_fd_ && !prepare()) return;
    const ContentReader::Slice slice = reader_.next();
    if (const auto* failed = std::get_if<Failed>(&slice)) return finish(*failed);
    const auto bytes = std::get<std::string_view>(slice);
    if (old_ && !holds_at(old_.get(), reader_.offset() - bytes.size(), bytes)) {
      if (!begin_copy()) return;
      reader_ = begin_reading();
    } else if (!old_) {
      if (const int error = write_all(new_.get(), bytes); error != 0) {
        fail(error);
        return;
      }
    }
    if (!reader_.finished()) return timer_.arm(Duration::zero());
    if (old_) return finish(Stored{.already_there = true, .note = {}});
    put_in_place();
  }

  bool prepare() {
    if (!is_safe_path(request_.name())) {
      finish(Failed{false, {}, false, "the name leads out of the folder"});
      return false;
    }
    const auto open_folder = [this] {
      return ::open(folder_.empty() ? "/" : folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    };
    folder_fd_.reset(open_folder());
    if (!folder_fd_ && errno == ENOENT) {
      if (const int error = make_folders(folder_); error != 0) return fail_at_folder(error);
      folder_fd_.reset(open_folder());
    }
    if (!folder_fd_) return fail_at_folder(errno);

    const auto source = identify(request_.content.get());
    struct stat target{};
    const bool exists =
        ::fstatat(folder_fd_.get(), name_.c_str(), &target, AT_SYMLINK_NOFOLLOW) == 0;
    if (exists && S_ISDIR(target.st_mode)) return fail(EISDIR);
    const auto* identity = std::get_if<FileIdentity>(&source);
    if (exists && S_ISREG(target.st_mode) && identity != nullptr &&
        static_cast<std::uint64_t>(target.st_size) == identity->size) {
      old_.reset(::openat(folder_fd_.get(), name_.c_str(),
                          O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    }
    return old_ || begin_copy();
  }

  bool begin_copy() {
    old_.reset();
    int error = 0;
    do {
      temporary_ = temporary_name();
      new_.reset(::openat(folder_fd_.get(), temporary_.c_str(),
                          O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666));
      error = errno;
    } while (!new_ && error == EEXIST);
    if (new_) return true;
    temporary_.clear();
    return fail(error);
  }

  void put_in_place() {
    const int folder = folder_fd_.get();
    // Some file systems report a full disk only when the file is closed.
    if ((::close(new_.release()) != 0 && errno != EINTR) ||
        ::renameat(folder, temporary_.c_str(), folder, name_.c_str()) != 0) {
      fail(errno);
      return;
    }
    temporary_.clear();
    finish(Stored{});
  }

  void remove_temporary() {
    if (temporary_.empty()) return;
    ::unlinkat(folder_fd_.get(), temporary_.c_str(), 0);
    temporary_.clear();
  }

  // A folder that cannot be made because there is none to make it in (/proc) stays missing.
  bool fail_at_folder(int error) { return fail(error, error != ENOENT && worth_retrying(error)); }
  bool fail(int error) { return fail(error, worth_retrying(error)); }
  bool fail(int error, bool retryable) {  // false, for the caller to return
    finish(Failed{
        retryable,
        {},
        false,
        "cannot write to " + printable(folder_) + ": " + std::generic_category().message(error)});
    return false;
  }

  void finish(Outcome outcome) {
    timer_.disarm();
    remove_temporary();
    const auto done = std::move(done_);
    done(std::move(outcome));  // may destroy this
  }

  std::string folder_;  // of the target
  std::string name_;    // in it
  UploadRequest request_;
  Backend::Done done_;
  ContentReader reader_;
  UniqueFd folder_fd_;
  UniqueFd old_;           // open: comparing
  UniqueFd new_;           // open: copying
  std::string temporary_;  // in the folder; empty: none
  event::Timer timer_;
};

}  // namespace

FolderBackend::FolderBackend(event::Loop& loop, std::string folder)
    : loop_(loop), folder_(std::move(folder)) {
  while (folder_.ends_with('/')) folder_.pop_back();  // "/" becomes "", to which "/NAME" is added
}

std::unique_ptr<Attempt> FolderBackend::upload(UploadRequest request, Done done) {
  return std::make_unique<Copy>(loop_, folder_, std::move(request), std::move(done));
}

bool worth_retrying(int error) {
  switch (error) {
    case EACCES:
    case EPERM:
    case EROFS:
    case ENOTDIR:
    case EISDIR:
    case ENAMETOOLONG:
    case ELOOP:
    case EINVAL:
    case EFBIG: return false;
    default: return true;
  }
}

}  // namespace integcov::storage::file
