#include "config/spelling.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include "config/text.h"

namespace integcov::config {
namespace {

std::size_t tolerance(std::size_t length) {
  if (length < 6) return 1;
  return length < 20 ? 2 : 3;
}

// How often each letter occurs, in classes that put the cases of a letter together.
using Letters = std::array<std::uint8_t, 32>;

std::uint8_t& count_of(Letters& letters, char c) {
  return letters.at(static_cast<unsigned char>(c) % letters.size());
}

Letters letters_of(std::string_view word) {
  Letters letters{};
  for (const char c : word) ++count_of(letters, c);
  return letters;
}

// An edit adds one letter at most: whether `limit` of them may make `name` of a word with these. It
// spares nearly all words, which an environment has many of, the table.
bool may_become(Letters letters, std::string_view name, std::size_t limit) {
  std::size_t missing = 0;
  for (const char c : name) {
    std::uint8_t& left = count_of(letters, c);
    if (left > 0) {
      --left;
    } else if (++missing > limit) {
      return false;
    }
  }
  return true;
}

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b) {
  // Rows of the table for a[..i-2], a[..i-1] and a[..i] against every b[..j].
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> previous(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(previous.begin(), previous.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t changed = a[i - 1] == b[j - 1] ? 0 : 1;
      row[j] = std::min({previous[j] + 1, row[j - 1] + 1, previous[j - 1] + changed});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    before.swap(previous);
    previous.swap(row);
  }
  return previous[b.size()];
}

std::optional<std::string_view> closest(std::string_view word,
                                        std::span<const std::string_view> known) {
  std::optional<std::string_view> best;
  std::size_t best_distance = 0;
  std::optional<Letters> letters;
  for (const std::string_view name : known) {
    const std::size_t limit = tolerance(name.size());
    if (word.size() > name.size() + limit || name.size() > word.size() + limit) continue;
    if (!letters) letters = letters_of(word);
    if (!may_become(*letters, name, limit)) continue;
    const std::size_t distance = edit_distance(lower(word), lower(name));
    if (distance > limit || (best && distance >= best_distance)) continue;
    best = name;
    best_distance = distance;
  }
  return best;
}

}  // namespace integcov::config
