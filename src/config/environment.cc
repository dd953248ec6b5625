#include "config/environment.h"

namespace integcov::config {

Environment::Environment(const char* const* envp) {
  for (; envp != nullptr && *envp != nullptr; ++envp) {
    const std::string_view entry = *envp;
    const std::size_t equals = entry.find('=');
    if (equals == std::string_view::npos || equals == 0) continue;
    entries_.emplace(entry.substr(0, equals), entry.substr(equals + 1));
  }
}

std::optional<std::string_view> Environment::get(std::string_view name) const {
  const auto found = entries_.find(name);
  if (found == entries_.end() || found->second.empty()) return std::nullopt;
  return found->second;
}

}  // namespace integcov::config
