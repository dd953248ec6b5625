// go-integcov: runs a program and brings the coverage that it leaves in GOCOVERDIR to storage.
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "app/coverage_folder.h"
#include "app/flush_now.h"
#include "app/identity.h"
#include "app/install.h"
#include "app/preflight.h"
#include "app/stderr_log.h"
#include "app/supervisor.h"
#include "base/exit_status.h"
#include "config/command_line.h"
#include "config/help.h"
#include "process/inherited.h"
#include "process/plain_wait.h"
#include "process/reaper.h"
#include "process/spawn.h"
#include "watch/folder.h"

namespace {

using namespace integcov;  // NOLINT(google-build-using-namespace): main only

int print(const std::string& text) {
  const bool written = std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0;
  return written ? 0 : kExitOwnError;
}

int install(const std::string& path, app::StderrLog& log) {
  const auto installed = app::install("/proc/self/exe", path);
  log.write(installed ? Severity::info : Severity::error,
            installed ? "installed " + *installed : installed.message());
  return installed ? 0 : kExitOwnError;
}

app::StderrLog::Style log_style(const config::Config& config, const config::Environment& env,
                                const std::map<std::string, std::string>& metadata) {
  const bool json =
      config.log_format == config::LogFormat::json ||
      (config.log_format == config::LogFormat::automatic && app::platform_logs_json(env));
  app::StderrLog::Style style{.lowest = config.log_level, .json = json};
  style.color = !json && isatty(STDERR_FILENO) == 1 && !env.get("NO_COLOR");
  if (json) {
    style.labels = config.labels;
    for (const char* key : {"integcov-run", "integcov-instance"}) {
      if (const auto found = metadata.find(key); found != metadata.end())
        style.labels.insert(*found);
    }
  }
  return style;
}

// The program has started: nothing may stop us from waiting for it and keeping its status. The
// supervisor takes the stack that the start took, not more below it.
[[gnu::noinline]] ExitStatus supervise(const app::Plan& plan,
                                       std::map<std::string, std::string> metadata,
                                       app::CoverageFolder& folder, app::Child& child,
                                       const process::JobControl& job_control,
                                       app::StderrLog& log) {
  std::string trouble;
  try {
    app::Supervisor supervisor(plan, std::move(metadata), folder, child, job_control, log);
    return supervisor.run();
  } catch (const std::exception& error) {
    trouble = error.what();
  }
  log.write(Severity::warning,
            trouble + ": the program runs, but its coverage stays in " + plan.config.coverdir);
  return process::plain_wait(child.pid, job_control, plan.config.stop_signal);
}

int run(const config::Config& config, const config::Environment& env,
        std::map<std::string, std::string> metadata, char* const* program, const char* const* envp,
        const process::Inherited& inherited, app::StderrLog& log) {
  const std::string cwd = watch::real_path(".");
  auto plan = app::prepare(config, env, cwd);
  if (!plan) {
    log.write(Severity::error, plan.message());
    return kExitOwnError;
  }
  for (const std::string& warning : plan->warnings) log.write(Severity::warning, warning);

  const config::Config asked = plan->config;
  app::CoverageFolder folder = app::take_folder(plan->config, metadata["integcov-run"], log);
  plan->config.coverdir = folder.path;
  if (folder.own) plan->careless = false;

  std::vector<std::string> variables = app::child_environment(envp, folder.path);
  std::vector<char*> child_envp;
  for (std::string& variable : variables) child_envp.push_back(variable.data());
  child_envp.push_back(nullptr);

  for (const auto& [key, value] : plan->config.labels) metadata[key] = value;

  process::become_subreaper();
  const process::JobControl job_control;
  const WallTime started = event::Loop::wall_now();
  auto child = process::spawn({program, child_envp.data()}, inherited, job_control);
  if (const auto* error = std::get_if<process::SpawnError>(&child);
      error != nullptr && error->exit_code == kExitOwnError && folder.control) {
    folder.control.reset();  // with hardly any fds left the program matters more than our lock
    folder.shared = true;
    child = process::spawn({program, child_envp.data()}, inherited, job_control);
  }
  if (const auto* error = std::get_if<process::SpawnError>(&child)) {
    log.write(Severity::error, error->message);
    app::leave_folder(std::move(folder), asked, log);
    return error->exit_code;
  }
  app::Child started_child{.pid = std::get<pid_t>(child),
                           .program = program[0],
                           .started = started,
                           .earlier = inherited.children};
  if (auto file = process::open_program(started_child.pid)) started_child.file = *std::move(file);
  process::close_inherited_fds();
  process::let_go_of_stdio();
  if (chdir("/") != 0) log.write(Severity::debug, "cannot leave the working directory");

  const ExitStatus status =
      supervise(*plan, std::move(metadata), folder, started_child, job_control, log);
  app::leave_folder(std::move(folder), asked, log);
  log.flush();
  job_control.die_like(status);
  return status.shell_code();
}

int start(int argc, char** argv, char** envp, const process::Inherited& inherited,
          app::StderrLog& log) {
  const config::Environment env(envp);
  const std::vector<std::string_view> args(argv + (argc > 0 ? 1 : 0), argv + argc);
  // A setting may be wrong: until they are read the environment says how to.
  const auto format = env.get("INTEGCOV_LOG_FORMAT");
  log.set_style({.json = format ? *format == "json" : app::platform_logs_json(env)});
  const auto invocation = config::parse_command_line(args, env);
  if (!invocation) {
    log.write(Severity::error, invocation.message());
    return kExitOwnError;
  }
  switch (invocation->mode) {
    case config::Invocation::Mode::help:
      return print(config::help_text(isatty(STDOUT_FILENO) == 1));
    case config::Invocation::Mode::version: return print(config::version_text());
    case config::Invocation::Mode::flush_now: {
      const auto asked = app::request_flush(static_cast<pid_t>(invocation->flush_pid),
                                            invocation->config.flush.signal);
      if (asked) return 0;
      log.write(Severity::error, asked.message());
      return kExitOwnError;
    }
    case config::Invocation::Mode::install: return install(invocation->install_path, log);
    case config::Invocation::Mode::run: break;
  }
  auto metadata = app::run_metadata(env);
  log.set_style(log_style(invocation->config, env, metadata));
  for (const std::string& warning : invocation->warnings) log.write(Severity::warning, warning);
  if (invocation->program_index >= args.size()) {
    log.write(
        Severity::error,
        "no program to run; expected: go-integcov [OPTIONS] PROGRAM [ARGUMENTS...] (see --help)");
    return kExitOwnError;
  }
  char* const* program = argv + 1 + invocation->program_index;
  if (invocation->config.disabled) {
    const auto error = process::become({program, envp}, inherited);
    log.write(Severity::error, error.message);
    return error.exit_code;
  }
  return run(invocation->config, env, std::move(metadata), program, envp, inherited, log);
}

}  // namespace

int main(int argc, char** argv, char** envp) {
  const process::Inherited inherited = process::take_over();
  app::StderrLog log;
  int code = kExitOwnError;
  try {
    code = start(argc, argv, envp, inherited, log);
  } catch (const std::exception& error) {
    log.write(Severity::error, error.what());
  }
  log.flush();
  return code;
}
