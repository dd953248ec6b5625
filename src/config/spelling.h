// "Did you mean …?"
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace integcov::config {

// Insertions, deletions, substitutions and swaps of neighbours that turn `a` into `b` (Damerau and
// Levenshtein, no part edited twice).
std::size_t edit_distance(std::string_view a, std::string_view b);

// The nearest of `known` if it is near enough to be what was meant: one edit for fewer than 6
// characters, two for fewer than 20, else three. The case of letters doesn't count. Of equally near
// ones the first.
std::optional<std::string_view> closest(std::string_view word,
                                        std::span<const std::string_view> known);

}  // namespace integcov::config
