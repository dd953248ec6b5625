// A temporary folder with files for the storage tests.
#pragma once

#include <fcntl.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <stdexcept>
#include <string>
#include <utility>

#include "base/unique_fd.h"
#include "event/timer.h"

namespace integcov::storage {

class TestFolder {
 public:
  TestFolder() {
    std::string name = std::filesystem::temp_directory_path() / "integcov-storage-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
    path_ = name;
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  ~TestFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  [[nodiscard]] std::filesystem::path path(const std::string& name = {}) const {
    return name.empty() ? path_ : path_ / name;
  }
  void write(const std::string& name, const std::string& content) const {
    std::ofstream(path(name), std::ios::binary | std::ios::trunc) << content;
  }
  void append(const std::string& name, const std::string& content) const {
    std::ofstream(path(name), std::ios::binary | std::ios::app) << content;
  }
  [[nodiscard]] std::string read(const std::string& name) const {
    std::ifstream file(path(name), std::ios::binary);
    if (!file) return "(cannot be opened)";
    return {std::istreambuf_iterator<char>(file), {}};
  }
  [[nodiscard]] UniqueFd open(const std::string& name) const {
    return UniqueFd(::open(path(name).c_str(), O_RDONLY | O_CLOEXEC));
  }

 private:
  std::filesystem::path path_;
};

// Acts in the second turn of the loop: an attempt at a file of three slices is in the middle then,
// whoever comes first in a turn.
class Midway {
 public:
  Midway(event::Loop& loop, std::function<void()> act)
      : act_(std::move(act)), timer_(loop, [this] { turn(); }) {
    timer_.arm(Duration::zero());
  }

 private:
  void turn() {
    if (!std::exchange(begun_, true)) return timer_.arm(Duration::zero());
    act_();
  }

  std::function<void()> act_;
  bool begun_ = false;
  event::Timer timer_;
};

// Bytes in which every position matters.
inline std::string pattern(std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>((i * 31 + i / 4093) & 0xff);
  return bytes;
}

}  // namespace integcov::storage
