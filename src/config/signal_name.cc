#include "config/signal_name.h"

#include <signal.h>  // SIGRTMIN and the POSIX names

#include <array>
#include <cstdint>
#include <optional>

#include "config/text.h"

namespace integcov::config {
namespace {

struct Named {
  std::string_view name;
  int number;
};

// Of two names for one number the first is printed.
constexpr std::array<Named, 34> kSignals{{
    {"HUP", SIGHUP},   {"INT", SIGINT},     {"QUIT", SIGQUIT}, {"ILL", SIGILL},
    {"TRAP", SIGTRAP}, {"ABRT", SIGABRT},   {"IOT", SIGABRT},  {"BUS", SIGBUS},
    {"FPE", SIGFPE},   {"KILL", SIGKILL},   {"USR1", SIGUSR1}, {"SEGV", SIGSEGV},
    {"USR2", SIGUSR2}, {"PIPE", SIGPIPE},   {"ALRM", SIGALRM}, {"TERM", SIGTERM},
    {"CHLD", SIGCHLD}, {"CLD", SIGCHLD},    {"CONT", SIGCONT}, {"STOP", SIGSTOP},
    {"TSTP", SIGTSTP}, {"TTIN", SIGTTIN},   {"TTOU", SIGTTOU}, {"URG", SIGURG},
    {"XCPU", SIGXCPU}, {"XFSZ", SIGXFSZ},   {"PROF", SIGPROF}, {"VTALRM", SIGVTALRM},
    {"IO", SIGPOLL},   {"WINCH", SIGWINCH}, {"POLL", SIGPOLL}, {"STKFLT", SIGSTKFLT},
    {"PWR", SIGPWR},   {"SYS", SIGSYS},
}};

bool is_realtime(int signal) { return signal >= SIGRTMIN && signal <= SIGRTMAX; }

std::optional<int> realtime(std::string_view name) {
  const bool from_min = name.starts_with("rtmin");
  if (!from_min && !name.starts_with("rtmax")) return std::nullopt;
  const int base = from_min ? SIGRTMIN : SIGRTMAX;
  name.remove_prefix(5);
  if (name.empty()) return base;
  if (name[0] != (from_min ? '+' : '-')) return std::nullopt;
  const std::optional<std::uint64_t> offset = parse_digits(name.substr(1));
  if (!offset || *offset > static_cast<std::uint64_t>(SIGRTMAX - SIGRTMIN)) return std::nullopt;
  const int distance = static_cast<int>(*offset);
  return from_min ? base + distance : base - distance;
}

std::optional<int> find(std::string_view text) {
  if (const auto number = parse_digits(text)) {
    if (*number > static_cast<std::uint64_t>(SIGRTMAX)) return std::nullopt;
    const int signal = static_cast<int>(*number);
    for (const Named& known : kSignals) {
      if (known.number == signal) return signal;
    }
    if (is_realtime(signal)) return signal;
    return std::nullopt;
  }
  const std::string folded = lower(text);
  std::string_view name = folded;
  if (name.starts_with("sig")) name.remove_prefix(3);
  for (const Named& known : kSignals) {
    if (lower(known.name) == name) return known.number;
  }
  return realtime(name);
}

}  // namespace

Result<int> parse_signal(std::string_view text) {
  constexpr std::string_view kExpected = "; expected a name or number such as SIGINT, TERM or 2";
  const std::optional<int> signal = find(text);
  if (!signal) return Error{quote(text) + " is not a signal" + std::string(kExpected)};
  if (*signal == SIGKILL || *signal == SIGSTOP || *signal == SIGCHLD) {
    return Error{quote(text) + " can't be passed on to a program" + std::string(kExpected)};
  }
  return *signal;
}

Result<int> parse_flush_signal(std::string_view text) {
  auto signal = parse_signal(text);
  if (signal && (*signal == SIGURG || *signal == SIGRTMIN)) {
    return Error{quote(text) +
                 " can't be a request to a Go program; expected a name or number such as SIGUSR1, "
                 "USR2 or 12"};
  }
  return signal;
}

std::string signal_name(int signal) {
  for (const Named& known : kSignals) {
    if (known.number == signal) return "SIG" + std::string(known.name);
  }
  if (!is_realtime(signal)) return "signal " + std::to_string(signal);
  const int offset = signal - SIGRTMIN;
  return offset == 0 ? "SIGRTMIN" : "SIGRTMIN+" + std::to_string(offset);
}

}  // namespace integcov::config
