// The environment as a value, so that only main touches the process's own.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace integcov::config {

class Environment {
 public:
  using Map = std::map<std::string, std::string, std::less<>>;

  Environment() = default;
  // Copies NAME=VALUE entries up to the null pointer. The first of two equal names wins, as with
  // getenv(3); entries without a name or '=' are ignored.
  explicit Environment(const char* const* envp);

  // An empty value counts as unset: a deployment can't always take a variable away.
  [[nodiscard]] std::optional<std::string_view> get(std::string_view name) const;

  // All entries ordered by name, those with empty values too.
  [[nodiscard]] Map::const_iterator begin() const { return entries_.begin(); }
  [[nodiscard]] Map::const_iterator end() const { return entries_.end(); }

 private:
  Map entries_;
};

}  // namespace integcov::config
