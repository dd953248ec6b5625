#include "supervise/report_lines.h"

#include <algorithm>

#include "base/log_format.h"

namespace integcov::supervise {
namespace {

constexpr std::size_t kNamesAtMost = 5;
constexpr std::size_t kLongestName = 120;

std::string shortened(const std::string& name) {
  return name.size() <= kLongestName ? name : name.substr(0, kLongestName) + "...";
}

bool one_reason(const std::vector<upload::Unsaved>& unsaved) {
  return std::ranges::all_of(
      unsaved, [&](const upload::Unsaved& u) { return u.reason == unsaved.front().reason; });
}

// With the reason behind each name when there are several.
std::string names_of(const std::vector<upload::Unsaved>& unsaved) {
  std::string names;
  const std::size_t shown = std::min(unsaved.size(), kNamesAtMost);
  for (std::size_t i = 0; i < shown; ++i) {
    if (i > 0) names += ", ";
    names += shortened(unsaved[i].file.path);
    if (!one_reason(unsaved) && !unsaved[i].reason.empty()) names += " (" + unsaved[i].reason + ")";
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
  if (why.empty() && !one_reason(unsaved)) reason = "for the reasons given";
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

LogRecord no_counters_line(const std::string& coverdir) {
  return {Severity::warning,
          "the program left no counters in " + coverdir +
              ": Go writes them when main returns or os.Exit is called, not after a panic or a "
              "signal without a handler"};
}

LogRecord still_running_line(const std::string& coverdir) {
  return {Severity::info,
          "processes that the program left still run: what coverage they write from "
          "now on stays in " +
              coverdir};
}

std::string progress_line(std::size_t files, const std::string& storage,
                          std::chrono::seconds left) {
  return "still uploading " + count_of(files, "file") + " to " + storage + ", for at most " +
         std::to_string(left.count()) + " s";
}

}  // namespace integcov::supervise
