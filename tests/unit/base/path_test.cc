#include "base/path.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

namespace integcov {
namespace {

namespace fs = std::filesystem;

TEST(JoinPath, AnAbsolutePathStandsForItself) {
  EXPECT_EQ(join_path("/work", "a"), "/work/a");
  EXPECT_EQ(join_path("/work/", "a"), "/work/a");
  EXPECT_EQ(join_path("/", "a"), "/a");
  EXPECT_EQ(join_path("", "a"), "a");
  EXPECT_EQ(join_path("/work", "/a"), "/a");
  EXPECT_EQ(join_path("/work", ""), "/work/");
}

TEST(AbsolutePath, IsSeenFromTheWorkingDirectory) {
  EXPECT_EQ(absolute_path("key.json", "/work"), "/work/key.json");
  EXPECT_EQ(absolute_path("/etc/key.json", "/work"), "/etc/key.json");
  EXPECT_EQ(absolute_path("", "/work"), "/work/");
  EXPECT_EQ(absolute_path("", ""), "");
  EXPECT_EQ(absolute_path("a", ""), "a") << "there is none";
}

TEST(AbsolutePath, IsNormal) {
  EXPECT_EQ(absolute_path("./a/./b/../c", "/work"), "/work/a/c");
  EXPECT_EQ(absolute_path("../a", "/work"), "/a");
  EXPECT_EQ(absolute_path("../../../a", "/work"), "/a") << "nothing is above the root";
  EXPECT_EQ(absolute_path("a//b///c", "//work"), "/work/a/b/c");
  EXPECT_EQ(absolute_path("..a/...", "/work"), "/work/..a/...") << "names with dots";
  EXPECT_EQ(absolute_path("..", "/work"), "/");
}

TEST(AbsolutePath, KeepsWhatAsksForAFolder) {
  EXPECT_EQ(absolute_path("a/", "/work"), "/work/a/");
  EXPECT_EQ(absolute_path("a/.", "/work"), "/work/a/");
  EXPECT_EQ(absolute_path("a/b/..", "/work"), "/work/a/");
}

TEST(AbsolutePath, GivesWhatTheStandardLibraryWould) {
  std::vector<std::string> paths{""};
  for (std::size_t i = 0; i < paths.size(); ++i) {  // each of up to 8 of these characters
    const std::string path = paths[i];
    for (const std::string from : {"", "/", "/w", "w/x/"}) {
      std::string expected = (fs::path(from) / path).lexically_normal().string();
      if (expected.find_first_not_of('/') == std::string::npos) {
        expected.resize(std::min<std::size_t>(expected.size(), 1));  // libstdc++ leaves "//" as is
      }
      ASSERT_EQ(absolute_path(path, from), expected) << '"' << path << "\" in \"" << from << '"';
    }
    if (path.size() == 8) continue;
    for (const char next : {'/', '.', 'a'}) paths.push_back(path + next);
  }
  EXPECT_EQ(paths.size(), 9841U);
}

TEST(AbsoluteFolder, HasNoSlashAtTheEnd) {
  for (const char* path : {"a", "a/", "a//", "a/.", "a/b/..", "./a/./"}) {
    EXPECT_EQ(absolute_folder(path, "/work"), "/work/a") << path;
  }
  EXPECT_EQ(absolute_folder("", "/work"), "/work");
  for (const char* path : {"/", "//", "..", "../.."}) {
    EXPECT_EQ(absolute_folder(path, "/work"), "/") << path;
  }
}

}  // namespace
}  // namespace integcov
