#include "app/install.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <iterator>

#include "base/unique_fd.h"
#include "unit/watch/temporary_folder.h"

namespace integcov::app {
namespace {

namespace fs = std::filesystem;
using watch::TemporaryFolder;

class InstallTest : public testing::Test {
 protected:
  InstallTest() {
    // Bytes of all values, and not a multiple of the copy's block.
    for (int i = 0; i < 200'000; ++i) content_.push_back(static_cast<char>(i * 7));
    dir_.file("source", content_);
    dir_.folder("bin");
  }
  [[nodiscard]] std::string source() const { return dir_.path("source"); }
  [[nodiscard]] static std::string read(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  [[nodiscard]] std::ptrdiff_t entries_of_bin() const {
    return std::distance(fs::directory_iterator(dir_.path("bin")), fs::directory_iterator());
  }

  TemporaryFolder dir_;
  std::string content_;
};

TEST_F(InstallTest, CopiesToAFileThatAllMayRun) {
  const mode_t before = umask(0077);
  const auto installed = install(source(), dir_.path("bin/cover"));
  umask(before);
  ASSERT_TRUE(installed) << installed.message();
  EXPECT_EQ(*installed, dir_.path("bin/cover"));
  EXPECT_EQ(read(*installed), content_);
  struct stat status{};
  ASSERT_EQ(stat(installed->c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0755U);
  EXPECT_EQ(entries_of_bin(), 1);
}

TEST_F(InstallTest, CopiesIntoAFolder) {
  for (const char* name : {"bin", "bin/"}) {
    const auto installed = install(source(), dir_.path(name));
    ASSERT_TRUE(installed) << installed.message();
    EXPECT_EQ(*installed, dir_.path("bin/go-integcov"));
    EXPECT_EQ(read(*installed), content_);
  }
  EXPECT_EQ(entries_of_bin(), 1);
}

TEST_F(InstallTest, LeavesWhatIsOpenUntouched) {
  dir_.file("bin/go-integcov", "old");
  const UniqueFd old(open(dir_.path("bin/go-integcov").c_str(), O_RDONLY | O_CLOEXEC));
  ASSERT_TRUE(install(source(), dir_.path("bin")));
  char buffer[8] = {};
  EXPECT_EQ(::read(old.get(), buffer, sizeof buffer), 3);
  EXPECT_STREQ(buffer, "old");
  EXPECT_EQ(read(dir_.path("bin/go-integcov")), content_);
}

TEST_F(InstallTest, TellsWhatItCannotRead) {
  const auto installed = install(dir_.path("none"), dir_.path("bin"));
  ASSERT_FALSE(installed);
  EXPECT_EQ(installed.message(),
            "--install: cannot read " + dir_.path("none") + ": No such file or directory");
  EXPECT_EQ(entries_of_bin(), 0);
}

TEST_F(InstallTest, TellsWhereItCannotWrite) {
  const auto missing = install(source(), dir_.path("none/go-integcov"));
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.message(), "--install: cannot write " + dir_.path("none/go-integcov") +
                                   ": No such file or directory");
  const auto below_a_file = install(source(), dir_.path("source/go-integcov"));
  ASSERT_FALSE(below_a_file);
  EXPECT_EQ(below_a_file.error().code, ENOTDIR);
  // A folder of the target's name can't be replaced.
  dir_.folder("bin/go-integcov");
  const auto folder = install(source(), dir_.path("bin"));
  ASSERT_FALSE(folder);
  EXPECT_EQ(folder.error().code, EISDIR);
  EXPECT_EQ(entries_of_bin(), 1);
}

TEST_F(InstallTest, LeavesNothingBehindOnAFullDisk) {
  dir_.file("bin/go-integcov", "old");
  const auto before = std::signal(SIGXFSZ, SIG_IGN);
  struct rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &limit), 0);
  const struct rlimit small{100'000, limit.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto installed = install(source(), dir_.path("bin"));
  setrlimit(RLIMIT_FSIZE, &limit);
  std::signal(SIGXFSZ, before);
  ASSERT_FALSE(installed);
  EXPECT_EQ(installed.error().code, EFBIG);
  EXPECT_EQ(read(dir_.path("bin/go-integcov")), "old");
  EXPECT_EQ(entries_of_bin(), 1);
}

}  // namespace
}  // namespace integcov::app
