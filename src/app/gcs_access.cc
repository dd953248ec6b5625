#include "app/gcs_access.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <strings.h>
#include <unistd.h>

#include <optional>
#include <utility>

#include "auth/metadata_server.h"
#include "auth/small_file.h"
#include "base/path.h"
#include "config/gcs_options.h"
#include "config/text.h"

namespace integcov::app {
namespace {

void make_paths_absolute(auth::Credentials& credentials, const std::string& cwd) {
  auto* external = std::get_if<auth::ExternalAccount>(&credentials.account);
  if (auto* impersonated = std::get_if<auth::ImpersonatedAccount>(&credentials.account))
    external = std::get_if<auth::ExternalAccount>(&impersonated->source);
  if (external == nullptr || external->subject.file.empty()) return;
  external->subject.file = absolute_path(external->subject.file, cwd);
}

Result<auth::Credentials> read_credentials(const std::string& setting, const std::string& path) {
  const auto text = auth::read_small_file(path);
  if (!text) {
    return Error{setting + " cannot be read: " + text.message() +
                 "; expected a credentials file (JSON) of Google Cloud"};
  }
  auto credentials = auth::parse_credentials(*text);
  if (!credentials) return Error{setting + ": " + credentials.message()};
  return credentials;
}

// Credentials and requests belong to one universe; nothing is guessed, because the data would go
// somewhere else (as Google's libraries have it: google-cloud-go auth/internal/transport).
std::optional<Error> check_universe(const std::string& setting, const std::string& its,
                                    const std::string& ours) {
  if (its == ours) return std::nullopt;
  return Error{setting + " is for the universe " + its +
               ", but GOOGLE_CLOUD_UNIVERSE_DOMAIN is unset or another one (" + ours +
               "); expected GOOGLE_CLOUD_UNIVERSE_DOMAIN=" + its};
}

Result<std::string> metadata_host(const config::Environment& env) {
  const auto host = env.get("GCE_METADATA_HOST");
  if (!host) return std::string(auth::MetadataServer::kDefaultHost);
  const bool odd = host->find_first_of(" \t\r\n/?#@\"\\") != std::string_view::npos;
  if (!odd && host->front() != ':') return std::string(*host);
  return Error{"GCE_METADATA_HOST=" + config::quote(*host) +
               " is not an address; expected HOST or HOST:PORT"};
}

struct Found {
  std::string setting;  // as a message names it
  std::string path;
};

std::optional<Found> find_file(const config::Environment& env, const std::string& cwd) {
  if (const auto file = env.get("GOOGLE_APPLICATION_CREDENTIALS")) {
    return Found{"GOOGLE_APPLICATION_CREDENTIALS=" + config::quote(*file),
                 absolute_path(*file, cwd)};
  }
  std::string gcloud(env.get("CLOUDSDK_CONFIG").value_or(""));
  if (gcloud.empty() && env.get("HOME")) gcloud = std::string(*env.get("HOME")) + "/.config/gcloud";
  if (gcloud.empty()) return std::nullopt;
  std::string path = absolute_path(gcloud, cwd) + "/application_default_credentials.json";
  if (access(path.c_str(), R_OK) != 0) return std::nullopt;
  return Found{"the credentials file " + path, path};
}

}  // namespace

Result<std::string> emulator_url(std::string_view value) {
  std::string url(value);
  if (url.find("://") == std::string::npos) url = "http://" + url;
  while (url.ends_with('/')) url.pop_back();
  const std::size_t scheme = url.starts_with("http://") ? 7 : url.starts_with("https://") ? 8 : 0;
  const std::string_view rest = std::string_view(url).substr(scheme);
  const std::string_view host = rest.substr(0, rest.find('/'));
  const std::size_t colon = host.rfind(':');
  const std::string_view port = colon == std::string_view::npos ? "" : host.substr(colon + 1);
  const bool odd =
      rest.find_first_of(" \t\r\n?#@\"\\") != std::string_view::npos ||
      (!host.ends_with(']') && port.find_first_not_of("0123456789") != std::string_view::npos);
  if (scheme == 0 || rest.empty() || rest.front() == '/' || rest.front() == ':' || odd) {
    return Error{"STORAGE_EMULATOR_HOST=" + config::quote(value) +
                 " is not an address; expected host:port or http://host:port"};
  }
  return url;
}

bool is_loopback(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme != std::string_view::npos) url.remove_prefix(scheme + 3);
  url = url.substr(0, url.find('/'));
  if (url.starts_with('[')) {
    const std::string host(url.substr(1, url.find(']') - 1));
    in6_addr address{};
    return inet_pton(AF_INET6, host.c_str(), &address) == 1 && IN6_IS_ADDR_LOOPBACK(&address);
  }
  const std::string host(url.substr(0, url.find(':')));
  in_addr address{};
  if (inet_pton(AF_INET, host.c_str(), &address) == 1)
    return ntohl(address.s_addr) >> 24 == IN_LOOPBACKNET;
  return strcasecmp(host.c_str(), "localhost") == 0;
}

Result<GcsSetup> find_gcs_access(const config::Environment& env, const std::string& cwd) {
  GcsSetup result;
  if (const auto emulator = env.get("STORAGE_EMULATOR_HOST")) {
    auto url = emulator_url(*emulator);
    if (!url) return url.error();
    result.access = Emulator{*std::move(url)};
    return result;
  }
  if (const auto universe = env.get("GOOGLE_CLOUD_UNIVERSE_DOMAIN")) {
    if (!auth::is_universe(*universe)) {
      return Error{"GOOGLE_CLOUD_UNIVERSE_DOMAIN=" + config::quote(*universe) +
                   " is not a domain; expected one such as googleapis.com"};
    }
    result.universe = *universe;
  }
  if (const auto found = find_file(env, cwd)) {
    auto credentials = read_credentials(found->setting, found->path);
    if (!credentials) return credentials.error();
    if (auto error = check_universe(found->setting, credentials->universe, result.universe))
      return *std::move(error);
    make_paths_absolute(*credentials, cwd);
    result.quota_project = credentials->quota_project;
    result.access = *std::move(credentials);
  } else {
    auto host = metadata_host(env);
    if (!host) return host.error();
    result.access = MetadataServerAt{*std::move(host)};
  }
  // The variable wins over the file (google-cloud-go auth/internal GetQuotaProject).
  if (const auto project = env.get("GOOGLE_CLOUD_QUOTA_PROJECT")) {
    auto checked = config::parse_project(*project);
    if (!checked) return Error{"GOOGLE_CLOUD_QUOTA_PROJECT=" + checked.message()};
    result.quota_project = *std::move(checked);
  }
  return result;
}

}  // namespace integcov::app
