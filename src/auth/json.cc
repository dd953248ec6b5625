#include "auth/json.h"

#include <simdjson.h>

#include <utility>

namespace integcov::auth {

struct JsonObject::Document {
  simdjson::dom::parser parser;  // owns what `object` refers to
  simdjson::dom::object object;
};

JsonObject::JsonObject(std::unique_ptr<Document> document) : document_(std::move(document)) {}
JsonObject::JsonObject(JsonObject&&) noexcept = default;
JsonObject& JsonObject::operator=(JsonObject&&) noexcept = default;
JsonObject::~JsonObject() = default;

std::optional<JsonObject> JsonObject::parse(std::string_view text) {
  auto document = std::make_unique<Document>();
  const simdjson::padded_string padded(text);
  if (document->parser.parse(padded).get(document->object) != simdjson::SUCCESS)
    return std::nullopt;
  return JsonObject(std::move(document));
}

bool JsonObject::has(std::string_view key) const {
  return document_->object.at_key(key).error() == simdjson::SUCCESS;
}

std::optional<std::string> JsonObject::string(std::string_view key) const {
  std::string_view value;
  if (document_->object.at_key(key).get(value) != simdjson::SUCCESS) return std::nullopt;
  return std::string(value);
}

std::optional<std::int64_t> JsonObject::integer(std::string_view key) const {
  std::int64_t value = 0;
  if (document_->object.at_key(key).get(value) != simdjson::SUCCESS) return std::nullopt;
  return value;
}

std::optional<JsonObject> JsonObject::object(std::string_view key) const {
  simdjson::dom::object value;
  if (document_->object.at_key(key).get(value) != simdjson::SUCCESS) return std::nullopt;
  return parse(simdjson::minify(value));
}

std::optional<std::vector<std::string>> JsonObject::strings(std::string_view key) const {
  simdjson::dom::array array;
  if (document_->object.at_key(key).get(array) != simdjson::SUCCESS) return std::nullopt;
  std::vector<std::string> result;
  for (const simdjson::dom::element element : array) {
    std::string_view value;
    if (element.get(value) != simdjson::SUCCESS) return std::nullopt;
    result.emplace_back(value);
  }
  return result;
}

std::optional<std::vector<std::pair<std::string, std::string>>> JsonObject::all_strings() const {
  std::vector<std::pair<std::string, std::string>> result;
  for (const auto& member : document_->object) {
    std::string_view value;
    if (member.value.get(value) != simdjson::SUCCESS) return std::nullopt;
    result.emplace_back(member.key, value);
  }
  return result;
}

}  // namespace integcov::auth
