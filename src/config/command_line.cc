#include "config/command_line.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/encoding.h"
#include "config/settings.h"
#include "config/spelling.h"
#include "config/text.h"

namespace integcov::config {
namespace {

struct GivenFlag {
  const Setting* setting;
  std::string_view value;
};

struct Scan {
  Invocation::Mode mode = Invocation::Mode::run;
  std::vector<GivenFlag> flags;
  std::uint32_t flush_pid = 1;
  std::size_t program_index = 0;
  std::optional<Error> unknown;  // an unknown "--name=value": the scan could go on behind it
  std::string_view install_path;
};

Error unknown_flag(std::string_view name) {
  std::vector<std::string_view> known{"help", "version", "install", "flush-now"};
  for (const Setting& setting : settings()) known.push_back(setting.flag);
  std::string message = quote("--" + std::string(name)) + " is not an option; ";
  if (const auto meant = closest(name, known)) {
    return {message + "did you mean --" + std::string(*meant) + "?"};
  }
  return {message + "expected one of those that go-integcov --help lists"};
}

Result<std::uint32_t> parse_pid(std::string_view text) {
  std::uint32_t pid = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), pid);
  constexpr std::uint32_t kMostPids = 1U << 22;  // proc(5), /proc/sys/kernel/pid_max
  if (error != std::errc() || end != text.data() + text.size() || pid == 0 || pid > kMostPids) {
    return Error{"--flush-now: " + quote(text) +
                 " is no process; expected the PID of a go-integcov, or nothing for PID 1"};
  }
  return pid;
}

// "--flush-now" is the last option; behind it a PID may stand, and nothing else.
Status scan_flush_now(const std::vector<std::string_view>& args, std::size_t at,
                      std::optional<std::string_view> value, Scan& found) {
  found.mode = Invocation::Mode::flush_now;
  if (!value && at + 1 < args.size()) value = args[++at];
  if (at + 1 < args.size()) {
    return Error{"--flush-now: " + quote(args[at + 1]) + " is too much; expected one PID at most"};
  }
  if (!value) return Success{};
  auto pid = parse_pid(*value);
  if (!pid) return pid.error();
  found.flush_pid = *pid;
  return Success{};
}

// `at` is that of "--install", `value` what was given with "=".
Result<Scan> scan_install(const std::vector<std::string_view>& args, std::size_t at,
                          std::optional<std::string_view> value) {
  if (!value && at + 1 < args.size()) value = args[++at];
  if (!value || value->empty()) {
    return Error{"--install has no value; expected PATH, a file or a folder, behind it"};
  }
  if (at + 1 < args.size()) {
    return Error{"--install: " + quote(args[at + 1]) +
                 " is too much; expected nothing behind the path"};
  }
  Scan found;
  found.mode = Invocation::Mode::install;
  found.install_path = *value;
  found.program_index = args.size();
  return found;
}

Result<Scan> scan(const std::vector<std::string_view>& args) {
  Scan found;
  std::size_t& at = found.program_index;
  for (; at < args.size(); ++at) {
    std::string_view name = args[at];
    if (name.size() < 2 || name[0] != '-') return found;
    if (name == "--") {
      ++at;
      return found;
    }
    name.remove_prefix(name[1] == '-' ? 2 : 1);
    std::optional<std::string_view> value;
    if (const std::size_t equals = name.find('='); equals != std::string_view::npos) {
      value = name.substr(equals + 1);
      name = name.substr(0, equals);
    }

    const bool help = name == "help" || name == "h";
    if (help || name == "version") {
      if (value) {
        return Error{"--" + std::string(name) + ": " + quote(*value) +
                     " is too much; expected no value"};
      }
      found.mode = help ? Invocation::Mode::help : Invocation::Mode::version;
      at = args.size();
      return found;
    }
    if (name == "flush-now") {
      if (Status s = scan_flush_now(args, at, value, found); !s) return s.error();
      at = args.size();
      return found;
    }
    if (name == "install") return scan_install(args, at, value);
    const Setting* setting = find_by_flag(name);
    if (setting == nullptr) {
      // Without '=' nobody knows whether the next word is its value or the program.
      if (!value) return unknown_flag(name);
      if (!found.unknown) found.unknown = unknown_flag(name);
      continue;
    }
    if (!value && setting->placeholder.empty()) value = "true";
    if (!value) {
      if (at + 1 == args.size()) {
        return Error{"--" + std::string(name) + " has no value; expected " +
                     std::string(setting->placeholder) + " behind it"};
      }
      value = args[++at];
    }
    found.flags.push_back({setting, *value});
  }
  return found;
}

Status apply(const Setting& setting, std::string_view value, Origin origin, Config& config) {
  Status applied = setting.apply(config, value, origin);
  if (applied) return applied;
  const std::string name =
      origin == Origin::flag ? "--" + std::string(setting.flag) : std::string(setting.env);
  return Error{name + ": " + applied.message()};
}

// Values that are overridden aren't looked at, so they can't be errors.
Status resolve(const Setting& setting, const std::vector<GivenFlag>& flags, const Environment& env,
               Config& config) {
  std::vector<std::string_view> given;
  for (const GivenFlag& flag : flags) {
    if (flag.setting != &setting) continue;
    if (!setting.repeatable) given.clear();
    given.push_back(flag.value);
  }
  const auto from_env = env.get(setting.env);
  if (from_env && (setting.repeatable || given.empty())) {
    if (Status s = apply(setting, *from_env, Origin::environment, config); !s) return s;
  }
  for (const std::string_view value : given) {
    if (value.empty() && !setting.repeatable) continue;
    if (Status s = apply(setting, value, Origin::flag, config); !s) return s;
  }
  return Success{};
}

std::vector<std::string> environment_warnings(const Environment& env) {
  constexpr std::string_view kPrefix = "INTEGCOV_";
  std::vector<std::string_view> known;
  for (const Setting& setting : settings()) {
    if (setting.env.starts_with(kPrefix)) known.push_back(setting.env);
  }
  std::vector<std::string> warnings;
  for (const auto& [name, value] : env) {
    if (value.empty() || find_by_env(name) != nullptr) continue;
    if (const auto meant = closest(name, known)) {
      warnings.push_back(printable(name) + " is not a setting; did you mean " +
                         std::string(*meant) + "?");
    }
  }
  return warnings;
}

}  // namespace

Result<Invocation> parse_command_line(const std::vector<std::string_view>& args,
                                      const Environment& env) {
  const Result<Scan> found = scan(args);
  if (!found) return found.error();
  Invocation invocation;
  invocation.mode = found->mode;
  invocation.program_index = found->program_index;
  invocation.install_path = found->install_path;
  invocation.flush_pid = found->flush_pid;
  Config& config = invocation.config;
  if (found->mode == Invocation::Mode::flush_now) {
    const Status s = resolve(*find_by_flag("flush-signal"), found->flags, env, config);
    if (!s) return s.error();
  }
  if (found->mode != Invocation::Mode::run) return invocation;

  const Setting& disabled = *find_by_env("INTEGCOV_DISABLED");
  if (const Status s = resolve(disabled, found->flags, env, config); !s) return s.error();
  if (found->unknown && !config.disabled) return *found->unknown;
  for (const Setting& setting : settings()) {
    if (&setting == &disabled) continue;
    const Status s = resolve(setting, found->flags, env, config);
    if (!s && !config.disabled) return s.error();
  }
  if (!config.disabled) invocation.warnings = environment_warnings(env);
  return invocation;
}

}  // namespace integcov::config
