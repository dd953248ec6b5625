#include "watch/folder.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "unit/watch/temporary_folder.h"

namespace integcov::watch {
namespace {

using Names = std::vector<std::string>;

Names file_names(const Listing& listing) {
  Names names;
  for (const FileEntry& file : listing.files) names.push_back(file.path);
  std::ranges::sort(names);
  return names;
}

mode_t mode_of(const std::string& path) {
  struct stat info{};
  EXPECT_EQ(stat(path.c_str(), &info), 0) << path;
  return info.st_mode & 07777;
}

TEST(MakeFolder, MakesItAndItsParentsForTheUserAlone) {
  const TemporaryFolder dir;
  const mode_t before = umask(0);
  EXPECT_TRUE(make_folder(dir.path("a/b/c")));
  umask(before);
  for (const char* name : {"a", "a/b", "a/b/c"}) EXPECT_EQ(mode_of(dir.path(name)), 0700U) << name;
}

TEST(MakeFolder, LeavesAFolderThatIsThereAsItIs) {
  const TemporaryFolder dir;
  dir.folder("a");
  fs::permissions(dir.path("a"), fs::perms(0755));
  EXPECT_TRUE(make_folder(dir.path("a")));
  EXPECT_EQ(mode_of(dir.path("a")), 0755U);
  EXPECT_TRUE(make_folder("/"));
}

TEST(MakeFolder, GoesThroughSymbolicLinksToFolders) {
  const TemporaryFolder dir;
  dir.folder("real");
  fs::create_directory_symlink("real", dir.path("link"));
  EXPECT_TRUE(make_folder(dir.path("link/below")));
  EXPECT_TRUE(fs::is_directory(dir.path("real/below")));
}

TEST(MakeFolder, SaysWhatIsInTheWay) {
  const TemporaryFolder dir;
  dir.file("file");
  EXPECT_EQ(make_folder(dir.path("file")).message(), dir.path("file") + " is not a folder");
  EXPECT_EQ(make_folder(dir.path("file/x")).message(),
            "cannot make the folder " + dir.path("file/x") + ": Not a directory");
  fs::create_symlink("nowhere", dir.path("dangling"));
  EXPECT_FALSE(make_folder(dir.path("dangling")));
}

TEST(Careless, SharedFoldersAreAndOnesOwnAreNot) {
  const TemporaryFolder dir;
  for (const char* shared : {"/", "/tmp", "/var/tmp"}) {
    EXPECT_TRUE(is_careless(shared, "", "")) << shared;
  }
  EXPECT_FALSE(is_careless(dir.path(), "", ""));
  EXPECT_FALSE(is_careless(dir.path("not there yet"), dir.path(), dir.path()));
}

TEST(Careless, HomeAndWorkingFolderAndAllAboveThem) {
  const TemporaryFolder dir;
  dir.folder("users/me/work");
  for (const char* name : {"", "users", "users/me"}) {
    EXPECT_TRUE(is_careless(dir.path(name), dir.path("users/me"), "")) << name;
    EXPECT_TRUE(is_careless(dir.path(name), "", dir.path("users/me"))) << name;
  }
  EXPECT_FALSE(is_careless(dir.path("users/me/work"), dir.path("users/me"), dir.path("users/me")));
  EXPECT_FALSE(is_careless(dir.path("users"), "users/me", "."));  // not absolute: means nothing
}

TEST(Careless, AlsoByAnotherName) {
  const TemporaryFolder dir;
  dir.folder("data/me");
  fs::create_directory_symlink(dir.path("data/me"), dir.path("home"));
  fs::create_directory_symlink("/tmp", dir.path("scratch"));
  EXPECT_TRUE(is_careless(dir.path("scratch"), "", ""));
  EXPECT_TRUE(is_careless(dir.path("data/me"), dir.path("home"), ""));
  EXPECT_TRUE(is_careless(dir.path("home"), dir.path("data/me"), ""));
  EXPECT_TRUE(is_careless(dir.path("data"), dir.path("home"), ""));
}

TEST(RealPath, HasNoSymbolicLinks) {
  const TemporaryFolder dir;
  dir.folder("real/sub");
  fs::create_directory_symlink("real", dir.path("link"));
  EXPECT_EQ(real_path(dir.path("link/sub")), dir.path("real/sub"));
  EXPECT_EQ(real_path(dir.path("link/sub/../")), dir.path("real"));
  EXPECT_EQ(real_path("/"), "/");
  EXPECT_EQ(real_path(dir.path("link/not there")), "");
  EXPECT_EQ(real_path(""), "");
}

TEST(ListFolder, GivesRegularFilesWithSizeAndTime) {
  const TemporaryFolder dir;
  dir.file("a", "four");
  dir.file("b", "");
  const auto listing = list_folder(dir.path(), true);
  ASSERT_TRUE(listing);
  EXPECT_TRUE(listing->complete);
  EXPECT_EQ(file_names(*listing), (Names{"a", "b"}));
  for (const FileEntry& file : listing->files) {
    EXPECT_EQ(file.size, file.path == "a" ? 4U : 0U);
    const auto again = look_at(dir.path(), file.path);
    ASSERT_TRUE(again);
    EXPECT_EQ(*again, file);
  }
}

TEST(ListFolder, GoesIntoSubfoldersOnlyWhenAsked) {
  const TemporaryFolder dir;
  dir.folder("one/two");
  dir.file("top");
  dir.file("one/two/deep");
  const auto all = list_folder(dir.path(), true);
  ASSERT_TRUE(all);
  EXPECT_EQ(file_names(*all), (Names{"one/two/deep", "top"}));
  EXPECT_EQ(all->folders, (Names{"one", "one/two"}));
  const auto flat = list_folder(dir.path(), false);
  ASSERT_TRUE(flat);
  EXPECT_EQ(file_names(*flat), Names{"top"});
  EXPECT_TRUE(flat->folders.empty());
  EXPECT_TRUE(flat->complete);
}

TEST(ListFolder, LeavesOutWhatIsNoRegularFile) {
  const TemporaryFolder dir;
  const TemporaryFolder elsewhere;
  elsewhere.file("secret");
  fs::create_symlink(elsewhere.path("secret"), dir.path("file-link"));
  fs::create_directory_symlink(elsewhere.path(), dir.path("folder-link"));
  fs::create_symlink("nowhere", dir.path("dangling"));
  ASSERT_EQ(mkfifo(dir.path("fifo").c_str(), 0600), 0);
  const auto listing = list_folder(dir.path(), true);
  ASSERT_TRUE(listing);
  EXPECT_TRUE(listing->files.empty());
  EXPECT_TRUE(listing->folders.empty());
  EXPECT_TRUE(listing->complete);
}

TEST(ListFolder, LeavesOutTheControlFolderAtTheTopOnly) {
  const TemporaryFolder dir;
  dir.folder(".integcov");
  dir.folder("sub/.integcov");
  dir.file(".integcov/lock");
  dir.file("sub/.integcov/file");
  const auto listing = list_folder(dir.path(), true);
  ASSERT_TRUE(listing);
  EXPECT_EQ(file_names(*listing), Names{"sub/.integcov/file"});
}

TEST(ListFolder, IsIncompleteBelowAGreatDepth) {
  const TemporaryFolder dir;
  std::string path = "d";
  for (int depth = 0; depth < 40; ++depth) path += "/d";
  dir.folder(path);
  dir.file("d/near");
  dir.file(path + "/far");
  const auto listing = list_folder(dir.path(), true);
  ASSERT_TRUE(listing);
  EXPECT_FALSE(listing->complete);
  EXPECT_EQ(file_names(*listing), Names{"d/near"});
}

TEST(ListFolder, IsIncompleteWhenASubfolderCannotBeOpened) {
  const TemporaryFolder dir;
  dir.folder("sub");
  dir.file("near");
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  const rlimit few{.rlim_cur = 64, .rlim_max = before.rlim_max};
  setrlimit(RLIMIT_NOFILE, &few);
  std::vector<UniqueFd> all;
  while (all.empty() || all.back()) all.emplace_back(open("/dev/null", O_RDONLY | O_CLOEXEC));
  all.resize(all.size() - 2);  // the failed one, and one for the folder itself
  const auto listing = list_folder(dir.path(), true);
  setrlimit(RLIMIT_NOFILE, &before);
  ASSERT_TRUE(listing);
  EXPECT_FALSE(listing->complete);
  EXPECT_EQ(file_names(*listing), Names{"near"});
}

TEST(ListFolder, FailsForWhatIsNoFolder) {
  const TemporaryFolder dir;
  dir.file("file");
  EXPECT_EQ(list_folder(dir.path("gone"), true).message(),
            "cannot list the folder " + dir.path("gone") + ": No such file or directory");
  EXPECT_FALSE(list_folder(dir.path("file"), true));
}

TEST(OpenBelow, OpensRegularFilesAlsoInSubfolders) {
  const TemporaryFolder dir;
  dir.folder("a/b");
  dir.file("a/b/c", "text");
  const auto file = open_below(dir.path(), "a/b/c");
  ASSERT_TRUE(file);
  std::array<char, 8> buffer{};
  EXPECT_EQ(read(file->get(), buffer.data(), buffer.size()), 4);
  EXPECT_STREQ(buffer.data(), "text");
}

TEST(OpenBelow, NeverLeavesTheFolder) {
  const TemporaryFolder dir;
  const TemporaryFolder elsewhere;
  dir.folder("sub");
  dir.file("file");
  elsewhere.file("secret");
  fs::create_symlink(elsewhere.path("secret"), dir.path("file-link"));
  fs::create_directory_symlink(elsewhere.path(), dir.path("folder-link"));
  for (const char* path : {"", "..", "../x", "sub/..", "sub/../file", "./file", "sub//x", "/file",
                           "file/", "file-link", "folder-link/secret", "gone", "gone/x"}) {
    EXPECT_FALSE(open_below(dir.path(), path)) << path;
  }
  EXPECT_FALSE(open_below(dir.path("gone"), "file"));
}

TEST(OpenBelow, WhatTookTheFilesPlaceIsNotOpenedAndDoesNotBlock) {
  const TemporaryFolder dir;
  dir.folder("folder");
  ASSERT_EQ(mkfifo(dir.path("fifo").c_str(), 0600), 0);
  EXPECT_EQ(open_below(dir.path(), "fifo").message(), dir.path("fifo") + " is not a regular file");
  EXPECT_EQ(open_below(dir.path(), "folder").message(),
            dir.path("folder") + " is not a regular file");
}

TEST(FolderErrors, SayWhyItFailed) {
  const TemporaryFolder dir;
  dir.folder("folder");
  dir.file("file");
  EXPECT_EQ(open_below(dir.path(), "gone").error().code, ENOENT);
  EXPECT_EQ(open_below(dir.path(), "gone/x").error().code, ENOENT);
  EXPECT_EQ(open_below(dir.path("gone"), "file").error().code, ENOENT);
  EXPECT_EQ(open_below(dir.path(), "folder").error().code, 0) << "no system call failed";
  EXPECT_EQ(look_at(dir.path(), "gone").error().code, ENOENT);
  EXPECT_EQ(look_at(dir.path(), "file/x").error().code, ENOTDIR);
  EXPECT_EQ(look_at(dir.path(), "folder").error().code, 0);
  EXPECT_EQ(list_folder(dir.path("gone"), true).error().code, ENOENT);
}

TEST(FolderErrors, TooManyOpenFilesIsAReasonOfItsOwn) {
  const TemporaryFolder dir;
  dir.file("file");
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  const rlimit few{.rlim_cur = 64, .rlim_max = before.rlim_max};
  setrlimit(RLIMIT_NOFILE, &few);
  std::vector<UniqueFd> all;
  while (all.empty() || all.back()) all.emplace_back(open("/dev/null", O_RDONLY | O_CLOEXEC));
  const auto at_folder = open_below(dir.path(), "file");
  const auto listing = list_folder(dir.path(), true);
  all.resize(all.size() - 2);  // the failed one, and one for the folder
  const auto at_file = open_below(dir.path(), "file");
  setrlimit(RLIMIT_NOFILE, &before);
  for (const auto* result : {&at_folder, &at_file}) {
    ASSERT_FALSE(*result);
    EXPECT_EQ(result->error().code, EMFILE) << result->message();
  }
  ASSERT_FALSE(listing);
  EXPECT_EQ(listing.error().code, EMFILE);
}

TEST(LookAt, IsAboutTheNameItself) {
  const TemporaryFolder dir;
  dir.file("file", "four");
  dir.folder("folder");
  fs::create_symlink("file", dir.path("link"));
  const auto file = look_at(dir.path(), "file");
  ASSERT_TRUE(file);
  EXPECT_EQ(file->size, 4U);
  EXPECT_EQ(file->path, "file");
  EXPECT_FALSE(look_at(dir.path(), "link"));
  EXPECT_FALSE(look_at(dir.path(), "folder"));
  EXPECT_FALSE(look_at(dir.path(), "gone"));
}

TEST(WriteFile, TheFileAppearsWhole) {
  const TemporaryFolder dir;
  const std::string large(3'000'000, 'x');
  const mode_t before = umask(0);
  ASSERT_TRUE(write_file(dir.path(), "record", large, 0640));
  umask(before);
  EXPECT_EQ(file_names(*list_folder(dir.path(), true)), Names{"record"});
  EXPECT_EQ(fs::file_size(dir.path("record")), large.size());
  EXPECT_EQ(mode_of(dir.path("record")), 0640U);
  ASSERT_TRUE(write_file(dir.path(), "record", "", 0600));
  EXPECT_EQ(fs::file_size(dir.path("record")), 0U);
}

TEST(WriteFile, WhyItCannotBeWrittenIsASentenceAndNothingIsLeftOfTheTry) {
  const TemporaryFolder dir;
  const auto gone = write_file(dir.path("no"), "record", "x", 0600);
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.message(),
            "cannot write " + dir.path("no/record") + ": No such file or directory");
  dir.folder("record");
  EXPECT_FALSE(write_file(dir.path(), "record", "x", 0600));
  EXPECT_EQ(file_names(*list_folder(dir.path(), true)), Names{});
}

}  // namespace
}  // namespace integcov::watch
