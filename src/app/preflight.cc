#include "app/preflight.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>
#include <utility>

#include "auth/small_file.h"
#include "base/path.h"
#include "config/text.h"
#include "watch/folder.h"

namespace integcov::app {
namespace {

// Where distributions keep the CA bundle (Go src/crypto/x509/root_linux.go has the same places).
constexpr std::array kCaFiles{"/etc/ssl/certs/ca-certificates.crt",
                              "/etc/pki/tls/certs/ca-bundle.crt",
                              "/etc/ssl/ca-bundle.pem",
                              "/etc/pki/tls/cacert.pem",
                              "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
                              "/etc/ssl/cert.pem"};

// With symbolic links resolved as far as the path exists. Precondition: `path` is absolute.
std::string real_folder(const std::string& path) {
  for (std::size_t end = path.size(); end > 0; end = path.rfind('/', end - 1)) {
    const std::string real = watch::real_path(path.substr(0, end));
    if (!real.empty()) return absolute_folder(real + path.substr(end), "/");
  }
  return absolute_folder(path, "/");
}

bool is_within(const std::string& inner, const std::string& outer) {
  return inner == outer || outer == "/" || inner.starts_with(outer + '/');
}

std::string find_ca_file(const config::Environment& env, const std::string& cwd) {
  if (const auto file = env.get("SSL_CERT_FILE")) return absolute_path(*file, cwd);
  for (const char* file : kCaFiles) {
    if (access(file, R_OK) == 0) return file;
  }
  return "";
}

std::string home_folder(const config::Environment& env) {
  std::string home(env.get("HOME").value_or(""));
  if (!home.empty()) return home;
  const auto passwd = auth::read_small_file("/etc/passwd");
  return passwd ? home_in_passwd(*passwd, geteuid()) : "";
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
    auto gcs = find_gcs_access(env, cwd);
    if (!gcs) return gcs.error();
    plan.access = std::move(gcs->access);
    plan.universe = std::move(gcs->universe);
    plan.quota_project = std::move(gcs->quota_project);
    plan.ca_file = find_ca_file(env, cwd);
    if (std::holds_alternative<Emulator>(plan.access) && !config.gcs.endpoint.empty()) {
      plan.warnings.emplace_back("STORAGE_EMULATOR_HOST is set: INTEGCOV_GCS_ENDPOINT is ignored");
    }
  }
  plan.careless = watch::is_careless(plan.config.coverdir, home_folder(env), cwd);
  return plan;
}

std::string home_in_passwd(std::string_view passwd, uid_t uid) {
  while (!passwd.empty()) {
    std::string_view line = passwd.substr(0, passwd.find('\n'));
    passwd.remove_prefix(std::min(passwd.size(), line.size() + 1));
    std::array<std::string_view, 6> fields;  // name, password, uid, gid, comment, home
    for (std::string_view& field : fields) {
      field = line.substr(0, line.find(':'));
      line.remove_prefix(std::min(line.size(), field.size() + 1));
    }
    const char* const end = fields[2].data() + fields[2].size();
    uid_t found = 0;
    const auto [stop, error] = std::from_chars(fields[2].data(), end, found);
    if (error == std::errc() && stop == end && found == uid) return std::string(fields[5]);
  }
  return "";
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
