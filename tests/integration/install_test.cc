// --install: the binary copies itself, for init containers.
#include <gtest/gtest.h>

#include "integration/parts.h"

namespace integcov::test {
namespace {

TEST(Install, LeavesABinaryThatRuns) {
  const TempDir dir;
  std::filesystem::create_directory(dir / "shared");
  const auto ended = run({go_integcov(), "--install", (dir / "shared").string()});
  EXPECT_EQ(ended.code, 0);
  EXPECT_EQ(ended.out, "");
  const std::string copy = dir / "shared/go-integcov";
  EXPECT_EQ(ended.err, "go-integcov: installed " + copy + "\n");
  EXPECT_EQ(read_file(copy), read_file(go_integcov()));

  // The copy supervises, and copies itself in turn, over the one that runs.
  const auto used =
      run({copy, copy, "--install=" + copy}, {.env = {{"GOCOVERDIR", (dir / "cov").string()}}});
  EXPECT_EQ(used.code, 0) << used.err;
  EXPECT_NE(used.err.find("installed " + copy), std::string::npos) << used.err;
  EXPECT_EQ(run({copy, "--version"}).out, run({go_integcov(), "--version"}).out);
}

TEST(Install, TellsInOneSentenceWhatFails) {
  const TempDir dir;
  const std::string target = dir / "none/go-integcov";
  const auto ended = run({go_integcov(), "--install", target});
  EXPECT_EQ(ended.code, 125);
  EXPECT_EQ(ended.out, "");
  EXPECT_EQ(ended.err, "go-integcov: error: --install: cannot write " + target +
                           ": No such file or directory\n");
}

}  // namespace
}  // namespace integcov::test
