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
  EXPECT_EQ(join_path("/srv", "a"), "/srv/a");
  EXPECT_EQ(join_path("/srv/", "a"), "/srv/a");
  EXPECT_EQ(join_path("/", "a"), "/a");
  EXPECT_EQ(join_path("", "a"), "a");
  EXPECT_EQ(join_path("/srv", "/a"), "/a");
  EXPECT_EQ(join_path("/srv", ""), "/srv/");
}

TEST(AbsolutePath, IsSeenFromTheWorkingDirectory) {
  EXPECT_EQ(absolute_path("key.json", "/srv"), "/srv/key.json");
  EXPECT_EQ(absolute_path("/etc/key.json", "/srv"), "/etc/key.json");
  EXPECT_EQ(absolute_path("", "/srv"), "/srv/");
  EXPECT_EQ(absolute_path("", ""), "");
  EXPECT_EQ(absolute_path("a", ""), "a") << "there is none";
}

TEST(AbsolutePath, IsNormal) {
  EXPECT_EQ(absolute_path("./a/./b/../c", "/srv"), "/srv/a/c");
  EXPECT_EQ(absolute_path("../a", "/srv"), "/a");
  EXPECT_EQ(absolute_path("../../../a", "/srv"), "/a") << "nothing is above the root";
  EXPECT_EQ(absolute_path("a//b///c", "//srv"), "/srv/a/b/c");
  EXPECT_EQ(absolute_path("..a/...", "/srv"), "/srv/..a/...") << "names with dots";
  EXPECT_EQ(absolute_path("..", "/srv"), "/");
}

TEST(AbsolutePath, KeepsWhatAsksForAFolder) {
  EXPECT_EQ(absolute_path("a/", "/srv"), "/srv/a/");
  EXPECT_EQ(absolute_path("a/.", "/srv"), "/srv/a/");
  EXPECT_EQ(absolute_path("a/b/..", "/srv"), "/srv/a/");
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
    EXPECT_EQ(absolute_folder(path, "/srv"), "/srv/a") << path;
  }
  EXPECT_EQ(absolute_folder("", "/srv"), "/srv");
  for (const char* path : {"/", "//", "..", "../.."}) {
    EXPECT_EQ(absolute_folder(path, "/srv"), "/") << path;
  }
}

}  // namespace
}  // namespace integcov
