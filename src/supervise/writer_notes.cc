#include "supervise/writer_notes.h"

#include <charconv>

namespace integcov::supervise {
namespace {

// A number and the space behind it, taken off the front.
template <class T>
bool take_number(std::string_view& text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const auto length = static_cast<std::size_t>(end - text.data());
  if (error != std::errc() || length == text.size() || text[length] != ' ') return false;
  text.remove_prefix(length + 1);
  return true;
}

}  // namespace

std::string writer_note(const NoteWriter& note) {
  return std::to_string(note.meta.inode) + ' ' + std::to_string(note.meta.changed_ns) + ' ' +
         (note.image.empty() ? "-" : note.image) + ' ' + note.path + '\n';
}

std::map<std::string, NotedWriter, std::less<>> parse_writer_notes(std::string_view text) {
  std::map<std::string, NotedWriter, std::less<>> notes;
  for (std::size_t end = 0; (end = text.find('\n')) != std::string_view::npos;
       text.remove_prefix(end + 1)) {
    std::string_view line = text.substr(0, end);
    MetaStamp meta;
    if (!take_number(line, meta.inode) || !take_number(line, meta.changed_ns)) continue;
    const std::size_t image_end = line.find(' ');
    const std::string_view image = line.substr(0, image_end);
    if (image.empty() || image_end == std::string_view::npos || image_end + 1 == line.size()) {
      continue;
    }
    line.remove_prefix(image_end + 1);
    if (meta.inode == 0) {
      if (const auto closed = notes.find(line); closed != notes.end()) notes.erase(closed);
    } else {
      notes[std::string(line)] = {meta, image == "-" ? "" : std::string(image)};
    }
  }
  return notes;
}

}  // namespace integcov::supervise
