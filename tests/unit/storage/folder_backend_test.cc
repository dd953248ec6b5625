#include "storage/file/folder_backend.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "event/timer.h"
#include "storage/content_reader.h"
#include "test_files.h"

namespace integcov::storage::file {
namespace {

using upload::Failed;
using upload::Outcome;
using upload::Stored;

class FolderBackendTest : public ::testing::Test {
 protected:
  std::unique_ptr<Attempt> begin(const std::string& name, Backend::Done done) {
    FolderBackend backend(loop_, target());
    return backend.upload({.id = 1, .file = {.path = name}, .content = source_.open("source")},
                          std::move(done));
  }
  // The outcome of storing the file "source" under this name.
  Outcome store(const std::string& name) {
    std::optional<Outcome> result;
    const auto attempt = begin(name, [&](Outcome outcome) { result = std::move(outcome); });
    EXPECT_FALSE(result) << "done must not come from inside upload()";
    loop_.run();
    EXPECT_TRUE(result);
    return result.value_or(Failed{});
  }
  Failed store_fails(const std::string& name) {
    const Outcome outcome = store(name);
    const auto* failed = std::get_if<Failed>(&outcome);
    EXPECT_NE(failed, nullptr);
    return failed != nullptr ? *failed : Failed{true, {}, false, "not failed"};
  }
  [[nodiscard]] std::string target() const { return target_.path("storage"); }
  [[nodiscard]] std::string stored(const std::string& name) const {
    return target_.read("storage/" + name);
  }
  // Names below the storage folder; temporary files would be among them.
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(target())) {
      if (!entry.is_directory()) found.push_back(std::filesystem::relative(entry, target()));
    }
    std::ranges::sort(found);
    return found;
  }

  event::Loop loop_;
  TestFolder source_;
  TestFolder target_;
};

using Names = std::vector<std::string>;

const std::string kCounters = "covcounters.0123456789abcdef0123456789abcdef.1.2";

TEST_F(FolderBackendTest, AnObjectMayHaveAnotherNameAndIsReplaced) {
  FolderBackend backend(loop_, target());
  for (const char* content : {"one", "two"}) {
    source_.write("source", content);
    std::optional<Outcome> result;
    const auto attempt = backend.upload({.id = 1,
                                         .file = {.path = kCounters},
                                         .object = "sub/object",
                                         .replaces = content[0] == 't',
                                         .content = source_.open("source")},
                                        [&](Outcome outcome) { result = std::move(outcome); });
    loop_.run();
    ASSERT_TRUE(result && std::holds_alternative<Stored>(*result));
    EXPECT_EQ(stored("sub/object"), content);
  }
  EXPECT_EQ(names(), Names{"sub/object"});
}

TEST_F(FolderBackendTest, MakesTheFolderAndCopiesByteForByte) {
  const std::string content = pattern(3 * ContentReader::kSlice + 7);
  source_.write("source", content);
  const Outcome outcome = store("covmeta.1");
  ASSERT_TRUE(std::holds_alternative<Stored>(outcome));
  EXPECT_FALSE(std::get<Stored>(outcome).already_there);
  EXPECT_TRUE(stored("covmeta.1") == content);
  EXPECT_EQ(names(), Names{"covmeta.1"});
}

TEST_F(FolderBackendTest, MakesSubfolders) {
  source_.write("source", "x");
  EXPECT_TRUE(std::holds_alternative<Stored>(store("a/b/c")));
  EXPECT_EQ(stored("a/b/c"), "x");
}

TEST_F(FolderBackendTest, StoresAnEmptyFile) {
  source_.write("source", "");
  EXPECT_TRUE(std::holds_alternative<Stored>(store("empty")));
  EXPECT_EQ(stored("empty"), "");
}

TEST_F(FolderBackendTest, ModeFollowsTheUmask) {
  source_.write("source", "x");
  const mode_t before = ::umask(027);
  store("f");
  ::umask(before);
  struct stat info{};
  ASSERT_EQ(::stat((target() + "/f").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0640U);
}

TEST_F(FolderBackendTest, EqualContentIsLeftAlone) {
  for (const std::string& content : {std::string(), pattern(2 * ContentReader::kSlice + 1)}) {
    source_.write("source", content);
    store("f");
    struct stat before{};
    ::stat((target() + "/f").c_str(), &before);
    const Outcome outcome = store("f");
    ASSERT_TRUE(std::holds_alternative<Stored>(outcome));
    EXPECT_TRUE(std::get<Stored>(outcome).already_there);
    struct stat after{};
    ::stat((target() + "/f").c_str(), &after);
    EXPECT_EQ(before.st_ino, after.st_ino);
    EXPECT_EQ(names(), Names{"f"});
  }
}

TEST_F(FolderBackendTest, OtherContentIsReplaced) {
  std::string content = pattern(2 * ContentReader::kSlice + 1);
  source_.write("source", content);
  store("f");
  content.back() = '!';  // the same size, other bytes in the last slice
  source_.write("source", content);
  const Outcome outcome = store("f");
  ASSERT_TRUE(std::holds_alternative<Stored>(outcome));
  EXPECT_FALSE(std::get<Stored>(outcome).already_there);
  EXPECT_TRUE(stored("f") == content);
  source_.write("source", "short");
  store("f");
  EXPECT_EQ(stored("f"), "short");
  EXPECT_EQ(names(), Names{"f"});
}

TEST_F(FolderBackendTest, ASymbolicLinkIsReplacedNotFollowed) {
  target_.write("outside", "untouched");
  std::filesystem::create_directory(target());
  std::filesystem::create_symlink(target_.path("outside"), target() + "/f");
  source_.write("source", "untouched");
  EXPECT_FALSE(std::get<Stored>(store("f")).already_there);
  EXPECT_FALSE(std::filesystem::is_symlink(target() + "/f"));
  source_.write("source", "new");
  store("f");
  EXPECT_EQ(target_.read("outside"), "untouched");
}

TEST_F(FolderBackendTest, TheNameAppearsOnlyWithTheWholeFile) {
  const std::string content = pattern(3 * ContentReader::kSlice);
  source_.write("source", content);
  int turns = 0;
  bool done = false;
  const auto attempt = begin("f", [&](const Outcome&) { done = true; });
  event::Timer* again = nullptr;
  event::Timer watch(loop_, [&] {
    if (done) return;
    ++turns;
    EXPECT_FALSE(std::filesystem::exists(target() + "/f"));
    again->arm(Duration::zero());
  });
  again = &watch;
  watch.arm(Duration::zero());
  loop_.run();
  EXPECT_TRUE(done);
  EXPECT_GE(turns, 2) << "other events get their turn between slices";
}

TEST_F(FolderBackendTest, ACoverageFileThatChangesMeanwhileIsNotStored) {
  source_.write("source", pattern(3 * ContentReader::kSlice));
  std::optional<Outcome> result;
  const auto attempt = begin(kCounters, [&](Outcome outcome) { result = std::move(outcome); });
  const Midway change(loop_, [&] { source_.append("source", "more"); });
  loop_.run();
  ASSERT_TRUE(result && std::holds_alternative<Failed>(*result));
  EXPECT_TRUE(std::get<Failed>(*result).retryable);
  EXPECT_EQ(std::get<Failed>(*result).reason, "the file changed while it was read");
  EXPECT_EQ(names(), Names{});
}

TEST_F(FolderBackendTest, ALogThatGrowsMeanwhileIsStoredAsItWas) {
  const std::string content = pattern(3 * ContentReader::kSlice);
  source_.write("source", content);
  for (const bool again : {false, true}) {
    source_.write("source", content);
    std::optional<Outcome> result;
    const auto attempt = begin("app.log", [&](Outcome outcome) { result = std::move(outcome); });
    const Midway write(loop_, [&] {
      EXPECT_FALSE(result) << "in the middle";
      source_.append("source", "more");
    });
    loop_.run();
    ASSERT_TRUE(result && std::holds_alternative<Stored>(*result));
    EXPECT_EQ(std::get<Stored>(*result).already_there, again) << "also while it is compared";
    EXPECT_TRUE(stored("app.log") == content);
    EXPECT_EQ(names(), Names{"app.log"});
  }
}

TEST_F(FolderBackendTest, ALogThatIsCutOffMeanwhileIsTriedAgain) {
  source_.write("source", pattern(3 * ContentReader::kSlice));
  std::optional<Outcome> result;
  const auto attempt = begin("app.log", [&](Outcome outcome) { result = std::move(outcome); });
  const Midway cut(loop_, [&] { source_.write("source", "rotated"); });
  loop_.run();
  ASSERT_TRUE(result && std::holds_alternative<Failed>(*result));
  EXPECT_TRUE(std::get<Failed>(*result).retryable);
  EXPECT_EQ(names(), Names{});
}

TEST_F(FolderBackendTest, DestroyingTheAttemptCancelsAndCleansUp) {
  source_.write("source", pattern(3 * ContentReader::kSlice));
  auto attempt = begin("f", [](const Outcome&) { ADD_FAILURE() << "cancelled"; });
  const Midway cancel(loop_, [&] {
    EXPECT_EQ(names().size(), 1U) << "the copy is under way";
    attempt.reset();
  });
  loop_.run();
  EXPECT_EQ(attempt, nullptr);
  EXPECT_EQ(names(), Names{});
}

TEST_F(FolderBackendTest, DoneMayDestroyTheAttempt) {
  source_.write("source", "x");
  std::unique_ptr<Attempt> attempt;
  attempt = begin("f", [&](const Outcome&) { attempt.reset(); });
  loop_.run();
  EXPECT_EQ(attempt, nullptr);
  EXPECT_EQ(stored("f"), "x");
}

TEST_F(FolderBackendTest, ATargetThatIsAFolderIsAPermanentFailure) {
  std::filesystem::create_directories(target() + "/f");
  source_.write("source", "x");
  const Failed failed = store_fails("f");
  EXPECT_FALSE(failed.retryable);
  EXPECT_EQ(failed.reason, "cannot write to " + target() + ": Is a directory");
}

TEST_F(FolderBackendTest, AFolderThatIsAFileIsAPermanentFailure) {
  target_.write("storage", "a file");
  source_.write("source", "x");
  for (const std::string folder : {"", "/a"}) {
    const Failed failed = store_fails((folder + "/f").substr(1));
    EXPECT_FALSE(failed.retryable);
    EXPECT_EQ(failed.reason, "cannot write to " + target() + folder + ": Not a directory");
  }
}

TEST_F(FolderBackendTest, AFolderThatCannotBeThereIsAPermanentFailure) {
  source_.write("source", "x");
  std::filesystem::create_symlink(target_.path("nowhere"), target_.path("dangling"));
  for (const std::string& folder : {std::string("/proc/x"), target_.path("dangling").string()}) {
    FolderBackend backend(loop_, folder);
    std::optional<Outcome> result;
    const auto attempt =
        backend.upload({.id = 1, .file = {.path = "f"}, .content = source_.open("source")},
                       [&](Outcome outcome) { result = std::move(outcome); });
    loop_.run();
    ASSERT_TRUE(result && std::holds_alternative<Failed>(*result));
    EXPECT_FALSE(std::get<Failed>(*result).retryable);
    EXPECT_EQ(std::get<Failed>(*result).reason,
              "cannot write to " + folder + ": No such file or directory");
  }
}

TEST_F(FolderBackendTest, AFolderThatVanishesMeanwhileIsMadeAnewNextTime) {
  source_.write("source", pattern(3 * ContentReader::kSlice));
  std::optional<Outcome> result;
  const auto attempt = begin("f", [&](Outcome outcome) { result = std::move(outcome); });
  const Midway remove(loop_, [&] { std::filesystem::remove_all(target()); });
  loop_.run();
  ASSERT_TRUE(result && std::holds_alternative<Failed>(*result));
  EXPECT_TRUE(std::get<Failed>(*result).retryable);
  EXPECT_TRUE(std::holds_alternative<Stored>(store("f")));
}

TEST_F(FolderBackendTest, AFolderWithoutPermissionIsAPermanentFailure) {
  source_.write("source", "x");
  std::filesystem::create_directory(target());
  std::filesystem::permissions(target_.path(), std::filesystem::perms::owner_all |
                                                   std::filesystem::perms::others_exec |
                                                   std::filesystem::perms::group_exec);
  std::filesystem::permissions(
      target(), std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec |
                    std::filesystem::perms::others_read | std::filesystem::perms::others_exec);
  std::optional<Outcome> result;
  const auto attempt = begin("f", [&](Outcome outcome) { result = std::move(outcome); });
  const bool root = ::geteuid() == 0;  // who may write anywhere
  ASSERT_TRUE(!root || ::seteuid(65534) == 0);
  loop_.run();
  ASSERT_TRUE(!root || ::seteuid(0) == 0);
  ASSERT_TRUE(result && std::holds_alternative<Failed>(*result));
  EXPECT_FALSE(std::get<Failed>(*result).retryable);
  EXPECT_EQ(std::get<Failed>(*result).reason,
            "cannot write to " + target() + ": Permission denied");
}

TEST_F(FolderBackendTest, AFailedWriteLeavesNothingBehind) {
  source_.write("source", pattern(3 * ContentReader::kSlice));
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{ContentReader::kSlice + 1, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const Failed failed = store_fails("f");
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, old_handler);
  EXPECT_EQ(failed.reason, "cannot write to " + target() + ": File too large");
  EXPECT_EQ(names(), Names{});
}

TEST_F(FolderBackendTest, NamesThatLeadOutOfTheFolderAreRefused) {
  source_.write("source", "x");
  for (const std::string name : {"..", "../f", "a/../../f", "/f", "a//f", "a/", ".", "a/./f", ""}) {
    const Failed failed = store_fails(name);
    EXPECT_FALSE(failed.retryable) << name;
    EXPECT_EQ(failed.reason, "the name leads out of the folder") << name;
  }
  EXPECT_FALSE(std::filesystem::exists(target()));
}

TEST_F(FolderBackendTest, AContentThatCannotBeReadIsReported) {
  std::filesystem::create_directory(source_.path("source"));
  EXPECT_EQ(store_fails("f").reason, "not a regular file");
  EXPECT_EQ(names(), Names{});
}

TEST(WorthRetrying, AFullDiskMayBecomeEmptyAReadOnlyOneStays) {
  for (const int error : {ENOSPC, EDQUOT, EIO, ENOENT, EMFILE}) {
    EXPECT_TRUE(worth_retrying(error)) << error;
  }
  for (const int error : {EACCES, EPERM, EROFS, ENOTDIR, EISDIR, ENAMETOOLONG}) {
    EXPECT_FALSE(worth_retrying(error)) << error;
  }
}

}  // namespace
}  // namespace integcov::storage::file
