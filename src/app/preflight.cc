#include "app/preflight.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <utility>

#include "base/unique_fd.h"
#include "config/text.h"
#include "watch/folder.h"

namespace integcov::app {
namespace {

constexpr std::size_t kMostCredentialsBytes = 1 << 20;
constexpr std::string_view kDefaultMetadataHost = "169.254.169.254";
constexpr std::string_view kExpectedKey =
    "; expected the JSON file of a service account or of gcloud auth application-default login";

// Where distributions keep the CA bundle (Go src/crypto/x509/root_linux.go has the same places).
constexpr std::array kCaFiles{"/etc/ssl/certs/ca-certificates.crt",
                              "/etc/pki/tls/certs/ca-bundle.crt",
                              "/etc/ssl/ca-bundle.pem",
                              "/etc/pki/tls/cacert.pem",
                              "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
                              "/etc/ssl/cert.pem"};

std::string absolute(std::string_view path, const std::string& cwd) {
  return (std::filesystem::path(cwd) / path).lexically_normal().string();
}

// Without the final '/' that lexically_normal() keeps.
std::string absolute_folder(std::string_view path, const std::string& cwd) {
  std::string result = absolute(path, cwd);
  while (result.size() > 1 && result.back() == '/') result.pop_back();
  return result;
}

// With symbolic links resolved as far as the path exists.
std::string real_folder(const std::string& path) {
  std::error_code ignored;
  const auto real = std::filesystem::weakly_canonical(path, ignored);
  return absolute_folder(ignored ? path : real.string(), "/");
}

bool is_within(const std::string& inner, const std::string& outer) {
  return inner == outer || outer == "/" || inner.starts_with(outer + '/');
}

Result<std::string> read_file(const std::string& path) {
  const UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!file) return Error{std::strerror(errno)};
  std::string text;
  std::array<char, 4096> buffer{};
  while (true) {
    const ssize_t got = read(file.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Error{std::strerror(errno)};
    if (got == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(got));
    if (text.size() > kMostCredentialsBytes) return Error{"the file is larger than 1 MiB"};
  }
}

Result<GcsAccess> read_credentials(const std::string& setting, const std::string& path) {
  auto text = read_file(path);
  if (!text)
    return Error{setting + " cannot be read: " + text.message() + std::string(kExpectedKey)};
  auto credentials = auth::parse_credentials(*text);
  if (!credentials) return Error{setting + ": " + credentials.message()};
  return GcsAccess(*std::move(credentials));
}

// The order of Google's Application Default Credentials (cloud.google.com/docs/authentication).
Result<GcsAccess> find_access(const config::Environment& env, const std::string& cwd) {
  if (const auto emulator = env.get("STORAGE_EMULATOR_HOST")) {
    auto url = emulator_url(*emulator);
    if (!url) return url.error();
    return GcsAccess(Emulator{*std::move(url)});
  }
  if (const auto file = env.get("GOOGLE_APPLICATION_CREDENTIALS")) {
    return read_credentials("GOOGLE_APPLICATION_CREDENTIALS=" + config::quote(*file),
                            absolute(*file, cwd));
  }
  std::string gcloud(env.get("CLOUDSDK_CONFIG").value_or(""));
  if (gcloud.empty() && env.get("HOME")) gcloud = std::string(*env.get("HOME")) + "/.config/gcloud";
  if (!gcloud.empty()) {
    const std::string path = absolute(gcloud, cwd) + "/application_default_credentials.json";
    if (access(path.c_str(), R_OK) == 0)
      return read_credentials("the credentials file " + path, path);
  }
  return GcsAccess(
      MetadataServerAt{std::string(env.get("GCE_METADATA_HOST").value_or(kDefaultMetadataHost))});
}

std::string find_ca_file(const config::Environment& env, const std::string& cwd) {
  if (const auto file = env.get("SSL_CERT_FILE")) return absolute(*file, cwd);
  for (const char* file : kCaFiles) {
    if (access(file, R_OK) == 0) return file;
  }
  return "";
}

std::optional<Error> check_folders(const config::Config& config) {
  struct stat info{};
  if (stat(config.coverdir.c_str(), &info) == 0 && !S_ISDIR(info.st_mode)) {
    return Error{"GOCOVERDIR=" + config::quote(config.coverdir) +
                 " is not a folder; expected the folder " +
                 "that the program writes its coverage to"};
  }
  const auto* storage = std::get_if<config::FolderLocation>(&config.storage);
  if (storage == nullptr) return std::nullopt;
  const std::string from = real_folder(config.coverdir);
  const std::string to = real_folder(storage->path);
  if (is_within(to, from) || is_within(from, to)) {
    return Error{"INTEGCOV_STORAGE=" + config::quote(config::to_string(config.storage)) +
                 " and GOCOVERDIR=" + config::quote(config.coverdir) +
                 " lie one in the other; expected two separate folders"};
  }
  return std::nullopt;
}

}  // namespace

Result<std::string> emulator_url(std::string_view value) {
  std::string url(value);
  if (url.find("://") == std::string::npos) url = "http://" + url;
  while (url.ends_with('/')) url.pop_back();
  const std::size_t scheme = url.starts_with("http://") ? 7 : url.starts_with("https://") ? 8 : 0;
  const std::string_view rest = std::string_view(url).substr(scheme);
  const bool odd = rest.find_first_of(" \t\r\n?#@\"\\") != std::string_view::npos;
  if (scheme == 0 || rest.empty() || rest.front() == '/' || rest.front() == ':' || odd) {
    return Error{"STORAGE_EMULATOR_HOST=" + config::quote(value) +
                 " is not an address; expected host:port or http://host:port"};
  }
  return url;
}

Result<Plan> prepare(const config::Config& config, const config::Environment& env,
                     const std::string& cwd) {
  Plan plan;
  plan.config = config;
  if (cwd.empty() && !config.coverdir.starts_with('/')) {
    return Error{"GOCOVERDIR=" + config::quote(config.coverdir) +
                 " is relative, but the working directory is gone; expected an absolute path"};
  }
  plan.config.coverdir = absolute_folder(config.coverdir, cwd);
  if (auto error = check_folders(plan.config)) return *std::move(error);

  if (std::holds_alternative<config::GcsLocation>(config.storage)) {
    auto access = find_access(env, cwd);
    if (!access) return access.error();
    plan.access = *std::move(access);
    plan.ca_file = find_ca_file(env, cwd);
    if (std::holds_alternative<Emulator>(plan.access) && !config.gcs.endpoint.empty()) {
      plan.warnings.emplace_back("STORAGE_EMULATOR_HOST is set: INTEGCOV_GCS_ENDPOINT is ignored");
    }
  }
  plan.careless =
      watch::is_careless(plan.config.coverdir, std::string(env.get("HOME").value_or("")), cwd);
  return plan;
}

std::vector<std::string> child_environment(const char* const* envp, const std::string& coverdir) {
  constexpr std::string_view kName = "GOCOVERDIR=";
  std::vector<std::string> result;
  bool placed = false;
  for (; *envp != nullptr; ++envp) {
    const bool ours = std::string_view(*envp).starts_with(kName);
    if (!ours) {
      result.emplace_back(*envp);
    } else if (!std::exchange(placed, true)) {
      result.push_back(std::string(kName) + coverdir);
    }
  }
  if (!placed) result.push_back(std::string(kName) + coverdir);
  return result;
}

}  // namespace integcov::app
