#include "supervise/report_lines.h"

#include <gtest/gtest.h>

namespace integcov::supervise {
namespace {

std::vector<upload::Unsaved> files(int count, const std::string& reason = "") {
  std::vector<upload::Unsaved> result;
  for (int i = 1; i <= count; ++i) result.push_back({{"f" + std::to_string(i), 1, 1}, reason});
  return result;
}

std::string unsaved(const std::vector<upload::Unsaved>& files, std::size_t stored,
                    const std::string& why = "") {
  const LogRecord record = unsaved_line(files, {stored, 0}, "gs://b/p", "/cov", why);
  EXPECT_EQ(record.severity, Severity::warning);
  return record.message;
}

TEST(ReportLines, OneLineSaysWhatWasUploaded) {
  const LogRecord record = uploaded_line({3, 1'400'000}, "gs://b/p");
  EXPECT_EQ(record.severity, Severity::notice);
  EXPECT_EQ(record.message, "uploaded 3 files (1.4 MB) to gs://b/p");
  EXPECT_EQ(uploaded_line({1, 12}, "gs://b").message, "uploaded 1 file (12 B) to gs://b");
}

TEST(ReportLines, AFileThatStaysIsNamed) {
  EXPECT_EQ(unsaved(files(1, "HTTP 403"), 2),
            "1 of 3 files was not uploaded to gs://b/p (HTTP 403); it stays in /cov: f1");
  EXPECT_EQ(unsaved(files(2, "HTTP 403"), 0),
            "2 of 2 files were not uploaded to gs://b/p (HTTP 403); they stay in /cov: f1, f2");
  EXPECT_EQ(unsaved(files(1), 0),
            "1 of 1 file was not uploaded to gs://b/p (the time was over); it stays in /cov: f1");
}

TEST(ReportLines, ManyAreCounted) {
  EXPECT_EQ(unsaved(files(5), 0),
            "5 of 5 files were not uploaded to gs://b/p (the time was over); they stay in /cov: "
            "f1, f2, f3, f4, f5");
  EXPECT_EQ(unsaved(files(7), 0),
            "7 of 7 files were not uploaded to gs://b/p (the time was over); they stay in /cov: "
            "f1, f2, f3, f4, f5 and 2 more");
}

TEST(ReportLines, TheFirstKnownReasonIsGivenUnlessWeKnowBetter) {
  auto some = files(3);
  some[1].reason = "HTTP 503";
  some[2].reason = "HTTP 403";
  EXPECT_NE(unsaved(some, 0).find("(HTTP 503)"), std::string::npos);
  EXPECT_NE(unsaved(some, 0, "told to").find("(told to)"), std::string::npos);
}

TEST(ReportLines, WithoutStorageOneLineSaysWhereTheFilesAre) {
  const LogRecord record = kept_line("/cov");
  EXPECT_EQ(record.severity, Severity::notice);
  EXPECT_EQ(
      record.message,
      "the coverage files stay in /cov (INTEGCOV_STORAGE is not set; see go-integcov --help)");
}

TEST(ReportLines, WithoutCoverageOneLineSaysWhatToDo) {
  const LogRecord record = no_coverage_line("/cov");
  EXPECT_EQ(record.severity, Severity::warning);
  EXPECT_NE(record.message.find("/cov"), std::string::npos);
  EXPECT_NE(record.message.find("go build -cover"), std::string::npos);
}

}  // namespace
}  // namespace integcov::supervise
