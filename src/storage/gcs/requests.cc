#include "storage/gcs/requests.h"

#include "base/crc32c.h"
#include "base/encoding.h"

namespace integcov::storage::gcs {
namespace {

constexpr const char* kFields = "fields=name,size,crc32c,generation";
constexpr const char* kContentType = "application/octet-stream";
constexpr const char* kJsonType = "application/json; charset=UTF-8";

std::string insert_url(const ObjectSpec& spec, const char* type, std::uint64_t generation) {
  std::string url = spec.base_url + "/upload/storage/v1/b/" + percent_encode(spec.bucket) +
                    "/o?uploadType=" + type + "&name=" + percent_encode(spec.name) +
                    "&ifGenerationMatch=" + std::to_string(generation) + "&" + kFields;
  if (!spec.user_project.empty()) url += "&userProject=" + percent_encode(spec.user_project);
  if (!spec.kms_key.empty()) url += "&kmsKeyName=" + percent_encode(spec.kms_key);
  return url;
}

std::string resource_json(const ObjectSpec& spec) {
  std::string json = R"({"name":)" + json_quote(spec.name) + R"(,"contentType":")" + kContentType +
                     R"(","crc32c":")" + crc32c_base64(spec.crc32c) + '"';
  if (!spec.metadata.empty()) {
    std::string separator = R"(,"metadata":{)";
    for (const auto& [key, value] : spec.metadata) {
      json += separator + json_quote(key) + ":" + json_quote(value);
      separator = ",";
    }
    json += "}";
  }
  return json + "}";
}

}  // namespace

std::string unfit_name(const ObjectSpec& spec) {
  constexpr std::size_t kMaxLength = 1024;  // bytes
  if (spec.name.empty()) return "the object name is empty";
  if (!is_valid_utf8(spec.name)) return "the object name is not valid UTF-8";
  if (spec.name.size() > kMaxLength) return "the object name is longer than 1024 bytes";
  if (spec.name.find_first_of("\r\n") != std::string::npos) {
    return "the object name has a line break in it";
  }
  return {};
}

std::string display_url(const ObjectSpec& spec) {
  return "gs://" + printable(spec.bucket) + "/" + printable(spec.name);
}

http::Request multipart_request(const ObjectSpec& spec, std::uint64_t generation, int fd) {
  const std::string delimiter = "--" + spec.boundary;
  http::Request request;
  request.method = "POST";
  request.url = insert_url(spec, "multipart", generation);
  request.headers = {{"Content-Type", "multipart/related; boundary=" + spec.boundary}};
  request.body.emplace_back(delimiter + "\r\nContent-Type: " + kJsonType + "\r\n\r\n" +
                            resource_json(spec) + "\r\n" + delimiter +
                            "\r\nContent-Type: " + kContentType + "\r\n\r\n");
  if (spec.size > 0) request.body.emplace_back(http::FileRange{fd, 0, spec.size});
  request.body.emplace_back("\r\n" + delimiter + "--\r\n");
  return request;
}

http::Request start_request(const ObjectSpec& spec, std::uint64_t generation) {
  http::Request request;
  request.method = "POST";
  request.url = insert_url(spec, "resumable", generation);
  request.headers = {{"Content-Type", kJsonType},
                     {"X-Upload-Content-Type", kContentType},
                     {"X-Upload-Content-Length", std::to_string(spec.size)}};
  request.body.emplace_back(resource_json(spec));
  return request;
}

http::Request data_request(const ObjectSpec& spec, const std::string& session, std::uint64_t offset,
                           std::uint64_t length, int fd) {
  http::Request request;
  request.method = "PUT";
  request.url = session;
  request.headers = {{"Content-Range", "bytes " + std::to_string(offset) + "-" +
                                           std::to_string(offset + length - 1) + "/" +
                                           std::to_string(spec.size)}};
  request.body.emplace_back(http::FileRange{fd, offset, length});
  return request;
}

http::Request status_request(const ObjectSpec& spec, const std::string& session) {
  http::Request request;
  request.method = "PUT";
  request.url = session;
  request.headers = {{"Content-Range", "bytes */" + std::to_string(spec.size)}};
  return request;
}

http::Request look_request(const ObjectSpec& spec) {
  http::Request request;
  request.url = spec.base_url + "/storage/v1/b/" + percent_encode(spec.bucket) + "/o/" +
                percent_encode(spec.name) + "?" + kFields;
  if (!spec.user_project.empty()) {
    request.url += "&userProject=" + percent_encode(spec.user_project);
  }
  return request;
}

// What stands before the first boundary is to be ignored (RFC 2046 section 5.1.1).
http::Request wake_request(const ObjectSpec& spec) {
  const std::string line = std::string(1022, ' ') + "\r\n";
  std::string body;
  while (body.size() < kWakeBytes) body += line;
  body += "--" + spec.boundary + "\r\nContent-Type: application/http\r\n\r\nGET " +
          look_request(spec).url.substr(spec.base_url.size()) + " HTTP/1.1\r\n\r\n\r\n--" +
          spec.boundary + "--\r\n";
  http::Request request;
  request.method = "POST";
  request.url = spec.base_url + "/batch/storage/v1";
  request.headers = {{"Content-Type", "multipart/mixed; boundary=" + spec.boundary}};
  request.body.emplace_back(std::move(body));
  return request;
}

}  // namespace integcov::storage::gcs
