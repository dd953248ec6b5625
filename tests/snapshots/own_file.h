// A Go program that waits for input, its snapshots, and the counters file it writes itself.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "app/memory_snapshots.h"
#include "coverage/counters.h"
#include "integration/process.h"

namespace integcov::test {

inline std::string described(const app::Taken& taken) {
  if (const auto* written = std::get_if<app::Written>(&taken)) return "written: " + written->name;
  if (const auto* failed = std::get_if<app::Failed>(&taken)) return "failed: " + failed->why;
  if (std::holds_alternative<app::Unchanged>(taken)) return "unchanged";
  return std::holds_alternative<app::NotYet>(taken) ? "not yet" : "not built with -cover";
}

inline coverage::Counters counters_in(const std::filesystem::path& path) {
  auto counters = coverage::parse_counters(read_file(path));
  EXPECT_TRUE(counters) << path << ' ' << counters.message();
  return counters ? *counters : coverage::Counters{};
}

inline std::vector<std::string> counters_files(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  for (const auto& [name, bytes] : read_tree(folder)) {
    if (name.starts_with("covcounters.")) names.push_back(name);
  }
  return names;
}

// What `go tool covdata textfmt` makes of one counters file of the folder.
inline std::string profile_of(const std::filesystem::path& folder, const std::string& name) {
  const TempDir copy;
  for (const auto& [file, bytes] : read_tree(folder)) {
    if (file.starts_with("covmeta.") || file == name) write_file(copy / file, bytes);
  }
  const std::string profile = (copy / "profile").string();
  const Ended ended = run(
      {INTEGCOV_GO, "tool", "covdata", "textfmt", "-i=" + copy.path().string(), "-o=" + profile});
  EXPECT_EQ(ended.code, 0) << ended.err;
  return read_file(profile);
}

// The program "snapshots": it does some work for each line it is fed.
class Fed {
 public:
  explicit Fed(const std::string& binary)
      : program_({binary, "-flag", "", "three words here"},
                 {.env = {{"GOCOVERDIR", folder_.path().string()}}, .keep_stdin_open = true}) {}

  [[nodiscard]] std::filesystem::path folder() const { return folder_.path(); }
  [[nodiscard]] Process& program() { return program_; }

  // It has counted its work when this returns, and waits.
  void feed(const std::string& line) {
    program_.feed(line + '\n');
    ++lines_;
    ASSERT_TRUE(eventually([&] {
      const std::string out = program_.out();
      return std::ranges::count(out, '\n') == lines_;
    })) << program_.out();
  }

  // The counters file that it writes at its end.
  std::string end() {
    const auto before = counters_files(folder());
    program_.close_stdin();
    EXPECT_EQ(program_.wait().code, 0);
    for (const std::string& name : counters_files(folder())) {
      if (std::ranges::find(before, name) == before.end()) return name;
    }
    ADD_FAILURE() << "no counters file at the program's end";
    return "";
  }

 private:
  TempDir folder_;
  Process program_;
  std::ptrdiff_t lines_ = 0;
};

}  // namespace integcov::test
