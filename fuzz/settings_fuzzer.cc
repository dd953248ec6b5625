// Invariants of flags and environment (src/config/command_line.h). The input is cut at NUL bytes:
// words up to the first empty one are arguments, those behind it the environment.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/encoding.h"
#include "config/command_line.h"

namespace {

using namespace integcov;
using namespace integcov::config;
using Mode = Invocation::Mode;

void require(bool holds) {
  if (!holds) __builtin_trap();
}

bool is_sentence(const std::string& message) {
  return !message.empty() && printable(message) == message;
}

void check(const Config& config) {
  require(config.grace.count() >= 0 && config.upload_timeout.count() >= 0);
  require(!config.coverdir.empty());
  require(!config.stop_signal || (*config.stop_signal > 0 && *config.stop_signal <= 64));
  require(config.gcs.chunk_size % kChunkQuantum == 0);
  require(config.gcs.endpoint.empty() || config.gcs.endpoint.starts_with("https://"));
  std::size_t label_bytes = 0;
  for (const auto& [key, value] : config.labels) {
    require(!key.empty() && is_sentence(key) && printable(value) == value);
    label_bytes += key.size() + value.size();
  }
  require(config.disabled || label_bytes <= kMaxLabelBytes);
}

Result<Invocation> parse(const std::vector<std::string_view>& args, const char* first,
                         const std::vector<std::string>& entries) {
  std::vector<const char*> envp;
  if (first != nullptr) envp.push_back(first);
  for (const std::string& entry : entries) envp.push_back(entry.c_str());
  envp.push_back(nullptr);
  return parse_command_line(args, Environment(envp.data()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string input(reinterpret_cast<const char*>(data), size);
  std::vector<std::string> words;
  std::vector<std::string> entries;
  bool in_environment = false;
  for (std::size_t at = 0; at < input.size();) {
    const std::size_t end = std::min(input.find('\0', at), input.size());
    std::string word = input.substr(at, end - at);
    at = end + 1;
    if (word.empty() && !in_environment) {
      in_environment = true;
    } else {
      (in_environment ? entries : words).push_back(std::move(word));
    }
  }
  const std::vector<std::string_view> args(words.begin(), words.end());

  const Result<Invocation> invocation = parse(args, nullptr, entries);
  if (!invocation) {
    require(is_sentence(invocation.message()));
  } else {
    require(invocation->program_index <= args.size());
    require(invocation->mode == Mode::run || invocation->program_index == args.size());
    require((invocation->mode == Mode::install) == !invocation->install_path.empty());
    for (const std::string& warning : invocation->warnings) require(is_sentence(warning));
    check(invocation->config);
  }

  // Nothing in the environment keeps a disabled supervisor from running the program.
  const Result<Invocation> disabled = parse({"app"}, "INTEGCOV_DISABLED=true", entries);
  require(disabled.ok() && disabled->mode == Mode::run && disabled->config.disabled);
  require(disabled->program_index == 0 && disabled->warnings.empty());

  // Nor does it change which word the program is.
  if (invocation) {
    const Result<Invocation> same = parse(args, "INTEGCOV_DISABLED=true", entries);
    require(same.ok() && same->mode == invocation->mode);
    require(same->program_index == invocation->program_index);
  }
  return 0;
}
