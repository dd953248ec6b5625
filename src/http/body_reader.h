// Reads a request body part by part while it is sent, and again from any offset.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/result.h"
#include "http/message.h"

namespace integcov::http {

class BodyReader {
 public:
  explicit BodyReader(const Body& body) : body_(&body) {}  // borrowed

  // Fills as much of `buffer` as the body has left; 0 is its end. Fails when a file has become
  // shorter than its range or can't be read.
  Result<std::size_t> read(std::span<char> buffer);

  // The next read starts there. False: beyond the end.
  bool seek(std::uint64_t offset);

 private:
  const Body* body_;
  std::size_t part_ = 0;
  std::uint64_t offset_ = 0;  // within the part
};

}  // namespace integcov::http
