#include "coverage/counters.h"

#include <algorithm>
#include <limits>

#include "base/encoding.h"

namespace integcov::coverage {
namespace {

using Function = Counters::Function;

class Comparison {
 public:
  void counters(std::span<const std::uint32_t> older, std::span<const std::uint32_t> newer) {
    for (std::size_t i = 0; i < std::max(older.size(), newer.size()); ++i) {
      one(i < older.size() ? older[i] : 0, i < newer.size() ? newer[i] : 0);
    }
  }

  [[nodiscard]] Growth result() const {
    if (smaller_) return Growth::smaller;
    if (wrapped_) return Growth::wrapped;
    return grown_ ? Growth::grown : Growth::equal;
  }

 private:
  void one(std::uint32_t older, std::uint32_t newer) {
    if (newer > older) grown_ = true;
    if (newer >= older) return;
    (passed_largest(older, newer) ? wrapped_ : smaller_) = true;
  }

  bool grown_ = false;
  bool wrapped_ = false;
  bool smaller_ = false;
};

auto key(const Function& function) { return std::pair(function.package, function.function); }

std::vector<Function> in_order(const Counters& counters) {
  std::vector<Function> functions = counters.functions;
  std::ranges::sort(functions, {}, key);
  return functions;
}

// Go keeps the order of the functions in all files of a program, so sorting is rarely needed.
bool same_order(const Counters& older, const Counters& newer) {
  auto next = older.functions.begin();
  for (const Function& function : newer.functions) {
    if (next != older.functions.end() && key(*next) == key(function)) ++next;
  }
  return next == older.functions.end();
}

Growth compare_functions(const Counters& older, const std::vector<Function>& old_functions,
                         const Counters& newer, const std::vector<Function>& new_functions,
                         const auto& comes_before) {
  Comparison comparison;
  auto old = old_functions.begin();
  auto now = new_functions.begin();
  while (old != old_functions.end() || now != new_functions.end()) {
    const bool both = old != old_functions.end() && now != new_functions.end();
    if (both && key(*old) == key(*now)) {
      if (old->count != now->count) return Growth::smaller;
      comparison.counters(older.of(*old++), newer.of(*now++));
    } else if (now == new_functions.end() || (both && comes_before(*old, *now))) {
      comparison.counters(older.of(*old++), {});
    } else {
      comparison.counters({}, newer.of(*now++));
    }
  }
  return comparison.result();
}

}  // namespace

bool passed_largest(std::uint32_t older, std::uint32_t newer) {
  constexpr std::uint32_t kUpperHalf = std::uint32_t{1} << 31;
  return older >= kUpperHalf && newer < kUpperHalf;
}

std::string hex(const MetaHash& hash) { return hex_encode({hash.data(), hash.size()}); }

void Counters::add(std::uint32_t package, std::uint32_t function,
                   std::span<const std::uint32_t> counters) {
  functions.push_back(
      {package, function, values.size(), static_cast<std::uint32_t>(counters.size())});
  values.insert(values.end(), counters.begin(), counters.end());
}

void Counters::clear_functions() {
  functions.clear();
  values.clear();
}

bool each_function_once(const Counters& counters) {
  std::vector<std::uint64_t> keys;
  keys.reserve(counters.functions.size());
  for (const Function& function : counters.functions) {
    keys.push_back(std::uint64_t{function.package} << 32 | function.function);
  }
  if (!std::ranges::is_sorted(keys)) std::ranges::sort(keys);
  return std::ranges::adjacent_find(keys) == keys.end();
}

Growth compare(const Counters& older, const Counters& newer) {
  if (older.hash != newer.hash) return Growth::smaller;
  if (same_order(older, newer)) {
    return compare_functions(older, older.functions, newer, newer.functions,
                             [](const Function&, const Function&) { return false; });
  }
  return compare_functions(
      older, in_order(older), newer, in_order(newer),
      [](const Function& old, const Function& now) { return key(old) < key(now); });
}

}  // namespace integcov::coverage
