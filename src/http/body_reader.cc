#include "http/body_reader.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <variant>

namespace integcov::http {
namespace {

std::uint64_t part_size(const BodyPart& part) {
  if (const auto* text = std::get_if<std::string>(&part)) return text->size();
  return std::get<FileRange>(part).length;
}

Result<std::size_t> read_file(const FileRange& range, std::uint64_t offset,
                              std::span<char> buffer) {
  ssize_t got = 0;
  do {
    got =
        ::pread(range.fd, buffer.data(), buffer.size(), static_cast<off_t>(range.offset + offset));
  } while (got < 0 && errno == EINTR);
  if (got < 0) return Error{std::string("cannot read the file: ") + std::strerror(errno)};
  if (got == 0) return Error{"the file became shorter while it was sent"};
  return static_cast<std::size_t>(got);
}

}  // namespace

Result<std::size_t> BodyReader::read(std::span<char> buffer) {
  std::size_t filled = 0;
  while (filled < buffer.size() && part_ < body_->size()) {
    const BodyPart& part = (*body_)[part_];
    const std::uint64_t left = part_size(part) - offset_;
    if (left == 0) {
      ++part_;
      offset_ = 0;
      continue;
    }
    const auto room = buffer.subspan(filled, std::min<std::uint64_t>(left, buffer.size() - filled));
    std::size_t got = room.size();
    if (const auto* text = std::get_if<std::string>(&part)) {
      std::memcpy(room.data(), text->data() + offset_, got);
    } else {
      const auto read = read_file(std::get<FileRange>(part), offset_, room);
      if (!read) return read.error();
      got = *read;
    }
    filled += got;
    offset_ += got;
  }
  return filled;
}

bool BodyReader::seek(std::uint64_t offset) {
  for (part_ = 0; part_ < body_->size(); ++part_) {
    const std::uint64_t size = part_size((*body_)[part_]);
    if (offset < size) break;
    offset -= size;
  }
  const bool inside = part_ < body_->size() || offset == 0;
  offset_ = inside ? offset : 0;
  return inside;
}

}  // namespace integcov::http
