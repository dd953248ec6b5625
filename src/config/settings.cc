#include "config/settings.h"

#include <array>
#include <initializer_list>
#include <string>
#include <utility>

#include "config/duration.h"
#include "config/signal_name.h"
#include "config/text.h"

namespace integcov::config {
namespace {

using Value = std::string_view;

template <class T, class Target>
Status assign(Result<T> parsed, Target& target) {
  if (!parsed) return parsed.error();
  target = std::move(parsed).value();
  return Success{};
}

template <class T>
using Choices = std::initializer_list<std::pair<std::string_view, T>>;

// `expected` lists the words for the message.
template <class T>
Status choose(Value value, std::string_view expected, Choices<T> choices, T& target) {
  const std::string word = lower(value);
  for (const auto& [name, meant] : choices) {
    if (word == name) return assign(Result<T>(meant), target);
  }
  return Error{quote(value) + " is not known; expected " + std::string(expected)};
}

constexpr auto kSettings = std::to_array<Setting>({
    {"INTEGCOV_STORAGE", "storage", "URL", "",
     "where coverage files go: gs://BUCKET/FOLDER or file:///FOLDER; unset, they stay in "
     "GOCOVERDIR",
     false, [](Config& c, Value v, Origin) { return assign(parse_storage_url(v), c.storage); }},
    {"GOCOVERDIR", "coverdir", "DIR", "/tmp/integcov",
     "folder that the program writes its coverage files to; made if missing", false,
     [](Config& c, Value v, Origin) {
       return assign(Result<std::string>(std::string(v)), c.coverdir);
     }},
    {"INTEGCOV_FLUSH_INTERVAL", "flush-interval", "DURATION", "30s",
     "time between snapshots of the program's counters while it runs; 0: only on demand", false,
     [](Config& c, Value v, Origin) { return assign(parse_duration(v), c.flush.interval); }},
    {"INTEGCOV_FLUSH", "flush", "auto|signal|memory|off", "auto",
     "how to take a snapshot: by a signal to the program's handler, or from its memory; auto: by "
     "signal if there is a handler",
     false,
     [](Config& c, Value v, Origin) {
       return choose<FlushMode>(v, "auto, signal, memory or off",
                                {{"auto", FlushMode::automatic},
                                 {"signal", FlushMode::signal},
                                 {"memory", FlushMode::memory},
                                 {"off", FlushMode::off}},
                                c.flush.mode);
     }},
    {"INTEGCOV_FLUSH_SIGNAL", "flush-signal", "SIGNAL", "SIGUSR1",
     "signal that asks the program's handler, or go-integcov, for a snapshot", false,
     [](Config& c, Value v, Origin) { return assign(parse_flush_signal(v), c.flush.signal); }},
    {"INTEGCOV_FLUSH_WAIT", "flush-wait", "DURATION", "5s",
     "how long to wait for the snapshot that a signal asked for", false,
     [](Config& c, Value v, Origin) { return assign(parse_duration(v), c.flush.wait); }},
    {"INTEGCOV_GRACE", "grace", "DURATION", "10s",
     "time for uploads after SIGTERM or SIGINT: what the platform grants before it kills", false,
     [](Config& c, Value v, Origin) { return assign(parse_duration(v), c.grace); }},
    {"INTEGCOV_UPLOAD_TIMEOUT", "upload-timeout", "DURATION", "60s",
     "time for uploads after the program ended by itself", false,
     [](Config& c, Value v, Origin) { return assign(parse_duration(v), c.upload_timeout); }},
    {"INTEGCOV_STOP_SIGNAL", "stop-signal", "SIGNAL", "",
     "signal that the program gets in place of SIGTERM, such as SIGINT", false,
     [](Config& c, Value v, Origin) { return assign(parse_signal(v), c.stop_signal); }},
    {"INTEGCOV_ON_UPLOAD_ERROR", "on-upload-error", "warn|fail", "warn",
     "fail: exit with 125 if the program ended with 0 but a file could not be uploaded", false,
     [](Config& c, Value v, Origin) {
       return choose<bool>(v, "warn or fail", {{"warn", false}, {"fail", true}},
                           c.fail_on_upload_error);
     }},
    {"INTEGCOV_LABELS", "label", "KEY=VALUE", "",
     "custom metadata of every uploaded object; repeat the option, or separate pairs by commas in "
     "the variable",
     true,
     [](Config& c, Value v, Origin origin) {
       return origin == Origin::flag ? add_label(c.labels, v) : add_labels(c.labels, v);
     }},
    {"INTEGCOV_GCS_USER_PROJECT", "gcs-user-project", "PROJECT", "",
     "project that pays for requests to a requester-pays bucket", false,
     [](Config& c, Value v, Origin) { return assign(parse_project(v), c.gcs.user_project); }},
    {"INTEGCOV_GCS_KMS_KEY", "gcs-kms-key", "KEY", "",
     "customer-managed encryption key: projects/P/locations/L/keyRings/R/cryptoKeys/K", false,
     [](Config& c, Value v, Origin) { return assign(parse_kms_key(v), c.gcs.kms_key); }},
    {"INTEGCOV_GCS_ENDPOINT", "gcs-endpoint", "URL", "",
     "https:// endpoint to use instead of https://storage.googleapis.com", false,
     [](Config& c, Value v, Origin) { return assign(parse_endpoint(v), c.gcs.endpoint); }},
    {"INTEGCOV_GCS_CHUNK_SIZE", "gcs-chunk-size", "SIZE", "0",
     "send large files in chunks of this size, a multiple of 256KiB; 0 sends them at once", false,
     [](Config& c, Value v, Origin) { return assign(parse_chunk_size(v), c.gcs.chunk_size); }},
    {"INTEGCOV_LOG_FORMAT", "log-format", "auto|text|json", "auto",
     "auto: json on Cloud Run and Kubernetes, else text", false,
     [](Config& c, Value v, Origin) {
       return choose<LogFormat>(
           v, "auto, text or json",
           {{"auto", LogFormat::automatic}, {"text", LogFormat::text}, {"json", LogFormat::json}},
           c.log_format);
     }},
    {"INTEGCOV_LOG_LEVEL", "log-level", "debug|info|warning|error", "info",
     "least severe message that is written to stderr", false,
     [](Config& c, Value v, Origin) {
       return choose<Severity>(v, "debug, info, warning or error",
                               {{"debug", Severity::debug},
                                {"info", Severity::info},
                                {"warning", Severity::warning},
                                {"warn", Severity::warning},
                                {"error", Severity::error}},
                               c.log_level);
     }},
    {"INTEGCOV_DISABLED", "disabled", "", "false", "run the program untouched and upload nothing",
     false, [](Config& c, Value v, Origin) { return assign(parse_bool(v), c.disabled); }},
});

}  // namespace

std::span<const Setting> settings() { return kSettings; }

const Setting* find_by_flag(std::string_view flag) {
  for (const Setting& setting : kSettings) {
    if (setting.flag == flag) return &setting;
  }
  return nullptr;
}

const Setting* find_by_env(std::string_view env) {
  for (const Setting& setting : kSettings) {
    if (setting.env == env) return &setting;
  }
  return nullptr;
}

Result<bool> parse_bool(std::string_view text) {
  bool value = false;
  const Status known = choose<bool>(text, "true, false, 1, 0, yes, no, on or off",
                                    {{"true", true},
                                     {"t", true},
                                     {"1", true},
                                     {"yes", true},
                                     {"on", true},
                                     {"false", false},
                                     {"f", false},
                                     {"0", false},
                                     {"no", false},
                                     {"off", false}},
                                    value);
  if (!known) return known.error();
  return value;
}

}  // namespace integcov::config
