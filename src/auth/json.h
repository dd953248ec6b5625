// The little of JSON that auth reads: members of one object.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace integcov::auth {

class JsonObject {
 public:
  // nullopt: not valid JSON, or not an object.
  static std::optional<JsonObject> parse(std::string_view text);
  JsonObject(JsonObject&&) noexcept;
  JsonObject& operator=(JsonObject&&) noexcept;
  ~JsonObject();

  [[nodiscard]] bool has(std::string_view key) const;
  // nullopt: no such member, or of another type.
  [[nodiscard]] std::optional<std::string> string(std::string_view key) const;
  [[nodiscard]] std::optional<std::int64_t> integer(std::string_view key) const;
  [[nodiscard]] std::optional<JsonObject> object(std::string_view key) const;
  // An array of strings only.
  [[nodiscard]] std::optional<std::vector<std::string>> strings(std::string_view key) const;
  // All members in their order; nullopt if one isn't a string.
  [[nodiscard]] std::optional<std::vector<std::pair<std::string, std::string>>> all_strings() const;

 private:
  struct Document;
  explicit JsonObject(std::unique_ptr<Document> document);
  std::unique_ptr<Document> document_;
};

}  // namespace integcov::auth
