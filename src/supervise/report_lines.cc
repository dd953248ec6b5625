#include "supervise/report_lines.h"

#include <algorithm>

#include "base/log_format.h"

namespace integcov::supervise {
namespace {

constexpr std::size_t kNamesAtMost = 5;

std::string names_of(const std::vector<upload::Unsaved>& unsaved) {
  std::string names;
  const std::size_t shown = std::min(unsaved.size(), kNamesAtMost);
  for (std::size_t i = 0; i < shown; ++i) {
    if (i > 0) names += ", ";
    names += unsaved[i].file.path;
  }
  if (unsaved.size() > shown) names += " and " + std::to_string(unsaved.size() - shown) + " more";
  return names;
}

}  // namespace

LogRecord uploaded_line(const upload::Totals& totals, const std::string& storage) {
  return {Severity::notice, "uploaded " + count_of(totals.stored, "file") + " (" +
                                format_bytes(totals.bytes) + ") to " + storage};
}

LogRecord unsaved_line(const std::vector<upload::Unsaved>& unsaved, const upload::Totals& totals,
                       const std::string& storage, const std::string& coverdir,
                       const std::string& why) {
  std::string reason = why;
  for (const upload::Unsaved& file : unsaved) {
    if (reason.empty()) reason = file.reason;
  }
  if (reason.empty()) reason = "the time was over";
  const std::size_t all = unsaved.size() + totals.stored;
  const bool one = unsaved.size() == 1;
  return {Severity::warning, std::to_string(unsaved.size()) + " of " + count_of(all, "file") +
                                 (one ? " was" : " were") + " not uploaded to " + storage + " (" +
                                 reason + "); " + (one ? "it stays in " : "they stay in ") +
                                 coverdir + ": " + names_of(unsaved)};
}

LogRecord kept_line(const std::string& coverdir) {
  return {Severity::notice, "the coverage files stay in " + coverdir +
                                " (INTEGCOV_STORAGE is not set; see go-integcov --help)"};
}

LogRecord no_coverage_line(const std::string& coverdir) {
  return {Severity::warning,
          "no coverage appeared in " + coverdir +
              ": build the program with `go build -cover`, and let it keep its GOCOVERDIR"};
}

}  // namespace integcov::supervise
