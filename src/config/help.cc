#include "config/help.h"

#include <algorithm>
#include <string_view>

#include "config/settings.h"

namespace integcov::config {
namespace {

constexpr std::size_t kColumns = 80;
constexpr std::size_t kEnvColumn = 44;
constexpr std::string_view kIndent = "      ";

std::string heading(std::string_view text, bool color) {
  const std::string title(text);
  return color ? "\x1b[1m" + title + "\x1b[0m\n" : title + "\n";
}

// Lines broken at spaces, each behind the indent.
std::string wrapped(std::string_view text) {
  constexpr std::size_t kWidth = kColumns - kIndent.size();
  std::string out;
  while (!text.empty()) {
    std::size_t length = text.size();
    if (length > kWidth) {
      length = text.rfind(' ', kWidth);
      if (length == std::string_view::npos) length = std::min(text.find(' '), text.size());
    }
    out.append(kIndent).append(text.substr(0, length)).append("\n");
    text.remove_prefix(std::min(length + 1, text.size()));
  }
  return out;
}

std::string describe(const Setting& setting) {
  std::string line = "  --" + std::string(setting.flag);
  if (!setting.placeholder.empty()) line.append(" ").append(setting.placeholder);
  line.resize(std::max(line.size() + 2, kEnvColumn), ' ');
  line.append(setting.env).append("\n");
  std::string meaning(setting.meaning);
  if (!setting.default_text.empty()) {
    meaning.append(" (default ").append(setting.default_text).append(")");
  }
  return line + wrapped(meaning);
}

constexpr std::string_view kIntroduction =
    R"(go-integcov runs a Go program that was built with "go build -cover" and brings
its coverage files to storage: while it runs, and the last ones when it ends.

)";

constexpr std::string_view kUsage = R"(  go-integcov [OPTIONS] [--] PROGRAM [ARGUMENTS...]
  go-integcov --flush-now [PID]
  go-integcov --install PATH

)";

constexpr std::string_view kExamples =
    R"(  INTEGCOV_STORAGE=gs://my-bucket/my-folder go-integcov ./app --port=8080
  go-integcov --storage=file:///tmp/coverage ./app --port=8080

)";

constexpr std::string_view kOptionsNote =
    R"(  Each can also be set by the environment variable beside it; options win.
  Durations are written as in Go: 300ms, 10s, 1m30s.

)";

constexpr std::string_view kOthers = R"(  --install PATH
      copy go-integcov to PATH, a file or a folder, and exit; for init
      containers
  --help, -h
      print this help and exit
  --flush-now [PID]
      ask a running go-integcov, PID 1 by default, for a snapshot now, and exit
  --version
      print the version and exit

)";

constexpr std::string_view kExitStatus = R"(  the program's own, and 128+N when signal N ended it
  125  go-integcov's own error: a malformed setting, or a failed upload with
       --on-upload-error=fail
  126  PROGRAM was found but can't be run
  127  PROGRAM was not found

)";

constexpr std::string_view kSecrets =
    R"(Counter files hold the program's arguments: keep secrets in the environment.
)";

}  // namespace

std::string help_text(bool color) {
  std::string out(kIntroduction);
  out.append(heading("Usage:", color)).append(kUsage);
  out.append(heading("Examples:", color)).append(kExamples);
  out.append(heading("Options:", color)).append(kOptionsNote);
  for (const Setting& setting : settings()) out += describe(setting);
  out.append(kOthers);
  out.append(heading("Exit status:", color)).append(kExitStatus);
  return out.append(kSecrets);
}

std::string version_text() { return "go-integcov " INTEGCOV_VERSION "\n"; }

}  // namespace integcov::config
