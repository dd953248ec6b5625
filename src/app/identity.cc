#include "app/identity.h"

#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string_view>

#include "base/encoding.h"

namespace integcov::app {
namespace {

// Cloud Run's container contract; the Kubernetes names are those that people give to downward API
// values.
constexpr std::array<std::string_view, 12> kPlatformNames{"K_SERVICE",
                                                          "K_REVISION",
                                                          "K_CONFIGURATION",
                                                          "CLOUD_RUN_JOB",
                                                          "CLOUD_RUN_EXECUTION",
                                                          "CLOUD_RUN_TASK_INDEX",
                                                          "CLOUD_RUN_TASK_ATTEMPT",
                                                          "CLOUD_RUN_TASK_COUNT",
                                                          "POD_NAME",
                                                          "POD_NAMESPACE",
                                                          "POD_UID",
                                                          "NODE_NAME"};
constexpr std::size_t kLongestValue = 256;

std::string key_of(std::string_view name) {
  std::string key(name);
  for (char& c : key) c = c == '_' ? '-' : static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  return key;
}

std::string host_name() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

}  // namespace

std::string random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  std::size_t have = 0;
  while (have < count) {
    const ssize_t got = getrandom(bytes.data() + have, count - have, 0);
    if (got < 0 && errno != EINTR) throw std::runtime_error("the kernel gives no random numbers");
    if (got > 0) have += static_cast<std::size_t>(got);
  }
  return bytes;
}

std::uint64_t random_seed() {
  std::uint64_t seed = 0;
  std::memcpy(&seed, random_bytes(sizeof seed).data(), sizeof seed);
  return seed;
}

std::map<std::string, std::string> run_metadata(const config::Environment& env) {
  std::map<std::string, std::string> metadata;
  const auto put = [&](const std::string& key, std::string_view value) {
    if (!value.empty()) metadata[key] = printable(value.substr(0, kLongestValue));
  };
  put("integcov-run", hex_encode(random_bytes(16)));
  put("integcov-instance", env.get("POD_NAME").value_or(env.get("HOSTNAME").value_or("")));
  if (!metadata.contains("integcov-instance")) put("integcov-instance", host_name());
  for (const std::string_view name : kPlatformNames) put(key_of(name), env.get(name).value_or(""));
  return metadata;
}

bool platform_logs_json(const config::Environment& env) {
  return std::ranges::any_of(std::array{"K_SERVICE", "CLOUD_RUN_JOB", "KUBERNETES_SERVICE_HOST"},
                             [&](const char* name) { return env.get(name).has_value(); });
}

}  // namespace integcov::app
