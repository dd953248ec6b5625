// The memory and the program file of another process, through /proc.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <span>

#include "base/byte_source.h"
#include "base/result.h"
#include "base/unique_fd.h"

namespace integcov::process {

// Anything that pread(2) reads.
class FileBytes : public ByteSource {
 public:
  explicit FileBytes(UniqueFd file) : file_(std::move(file)) {}
  bool read(std::uint64_t at, std::span<std::byte> into) override;
  [[nodiscard]] int fd() const { return file_.get(); }

 private:
  UniqueFd file_;
};

// /proc/PID/mem: belongs to the image that runs at this moment. After an execve(2) or the end of
// the process nothing can be read from it any more, so it never shows another image's memory.
Result<FileBytes> open_memory(pid_t pid);

// /proc/PID/exe: the file that runs, even if its name is gone.
Result<FileBytes> open_program(pid_t pid);

}  // namespace integcov::process
