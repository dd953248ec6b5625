#include "app/snapshot_files.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <iterator>

#include "coverage/counters.h"
#include "coverage/file_name.h"
#include "event/loop.h"
#include "supervise/writer_notes.h"
#include "unit/process/helper.h"
#include "unit/watch/temporary_folder.h"
#include "watch/folder.h"

namespace integcov::app {
namespace {

namespace fs = std::filesystem;
using process::Helper;
using supervise::Fold;
using supervise::FoldSnapshot;
using supervise::MetaStamp;
using Names = std::vector<std::string>;

const std::string kHash = "30313233343536373839616263646566";
const std::string kOther = "66656463626139383736353433323130";
constexpr std::int64_t kSecond = 1'000'000'000;
// Times are in seconds after it: in the future, since a file's ctime is always now.
constexpr std::int64_t kBase = 2'100'000'000;

class SnapshotFilesTest : public ::testing::Test {
 protected:
  static std::string name(std::int64_t second, std::int64_t pid = 1,
                          const std::string& hash = kHash) {
    return "covcounters." + hash + '.' + std::to_string(pid) + '.' +
           std::to_string((kBase + second) * kSecond);
  }
  static std::string bytes(const std::vector<std::uint32_t>& values) {
    coverage::Counters counters;
    counters.add(0, 0, values);
    return coverage::write_counters(counters);
  }
  std::string writes(std::int64_t second, const std::vector<std::uint32_t>& values,
                     std::int64_t pid = 1, const std::string& hash = kHash) {
    const std::string path = name(second, pid, hash);
    folder_.file(path, bytes(values));
    set_time(path, second);
    return path;
  }
  void set_time(const std::string& path, std::int64_t second) {
    const timespec time{.tv_sec = kBase + second, .tv_nsec = 0};
    const std::array<timespec, 2> times{time, time};
    ASSERT_EQ(utimensat(AT_FDCWD, folder_.path(path).c_str(), times.data(), 0), 0);
  }
  // An image of the program starts.
  void starts(std::int64_t second, const std::string& hash = kHash) {
    const std::string meta = folder_.path("covmeta." + hash);
    folder_.file("new");
    set_time("new", second);
    fs::rename(folder_.path("new"), meta);
  }
  std::string content(const std::string& path) {
    std::ifstream file(folder_.path(path), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  // The counters files.
  Names names() {
    Names found;
    for (const auto& entry : fs::directory_iterator(folder_.path())) {
      const std::string file = entry.path().filename();
      if (!file.starts_with("covmeta.")) found.push_back(file);
    }
    std::ranges::sort(found);
    return found;
  }
  supervise::SnapshotFolded fold(
      const std::string& standing, const std::string& appeared, std::int64_t newest_second,
      supervise::Sighting seen = {.meta = {}, .at_ns = 0, .image = "gone since", .exact = true}) {
    const auto at = [](std::int64_t second) { return (kBase + second) * kSecond; };
    const std::uint64_t time_ns = coverage::parse_file_name(appeared).time_ns;
    return app::fold(folder_.path(),
                     {.standing = standing,
                      .appeared = appeared,
                      .known = {.newest_ns = static_cast<std::uint64_t>(at(newest_second)),
                                .written_ns = at(newest_second),
                                .seen = std::move(seen),
                                .sure = true},
                      .of = {.time_ns = time_ns,
                             .written_ns = static_cast<std::int64_t>(time_ns),
                             .memory = {}}},
                     {});
  }
  // Of a writer that was seen when the covmeta of that second was there.
  std::string note(const std::string& standing, std::int64_t started,
                   const std::string& hash = kHash) {
    starts(started, hash);
    return supervise::writer_note(
        {standing, look_at_writer(folder_.path(), name(0, 1, hash), {}).meta, ""});
  }

  watch::TemporaryFolder folder_;
};

// ---- Who it is ----

TEST(ImageOf, IsTheSameAsLongAsTheProcessRunsItsProgram) {
  Helper one;
  Helper two;
  EXPECT_EQ(image_of(one.pid(), {}).text, "") << "a fork of ours that has executed nothing";
  one.exec_cat();
  two.exec_cat();
  const std::string image = image_of(one.pid(), {}).text;
  EXPECT_NE(image, "");
  EXPECT_EQ(image_of(one.pid(), {}).text, image);
  EXPECT_NE(image_of(two.pid(), {}).text, image);
  one.die();
  EXPECT_EQ(image_of(one.pid(), {}).text, "");
}

TEST(ImageOf, WhatIsNotOurDescendantHasNone) {
  EXPECT_EQ(image_of(getpid(), {}).text, "");
  EXPECT_EQ(image_of(getppid(), {}).text, "");
  EXPECT_EQ(image_of(0, {}).text, "");
}

TEST_F(SnapshotFilesTest, ALookAtTheWriterSeesItsImageAndWhichCovmetaIsThere) {
  Helper writer;
  writer.exec_cat();
  const std::string path = name(5, writer.pid());
  const std::int64_t before = event::Loop::wall_now().time_since_epoch().count();
  const auto without = look_at_writer(folder_.path(), path, {});
  EXPECT_EQ(without.meta, MetaStamp{});
  EXPECT_EQ(without.image, image_of(writer.pid(), {}).text);
  EXPECT_GE(without.at_ns, before);
  EXPECT_LE(without.at_ns, event::Loop::wall_now().time_since_epoch().count());

  starts(1);
  const MetaStamp first = look_at_writer(folder_.path(), path, {}).meta;
  EXPECT_NE(first.inode, 0U);
  EXPECT_EQ(first.changed_ns, (kBase + 1) * kSecond);
  EXPECT_EQ(look_at_writer(folder_.path(), path, {}).meta, first);
  starts(2);
  EXPECT_NE(look_at_writer(folder_.path(), path, {}).meta, first);
  EXPECT_EQ(look_at_writer(folder_.path(), name(5, writer.pid(), kOther), {}).meta, MetaStamp{});
}

TEST_F(SnapshotFilesTest, TheProgramItselfIsSeenEvenIfItMayNotBeLookedInto) {
  const Helper only_forked;  // as little is known of it
  EXPECT_EQ(image_of(only_forked.pid(), {only_forked.pid()}).text, "");
  Helper program;
  program.exec_cat();
  const SeenImage seen = image_of(program.pid(), {program.pid()});
  EXPECT_TRUE(seen.exact);
  EXPECT_EQ(seen.text, image_of(program.pid(), {}).text);
}

// ---- Folding ----

TEST_F(SnapshotFilesTest, TheNewestSnapshotGetsTheFirstName) {
  starts(0);
  const std::string first = writes(1, {1, 2});
  const std::string next = writes(2, {1, 3});
  const auto done = fold(first, next, 1);
  EXPECT_EQ(done.fold, Fold::replaced);
  EXPECT_EQ(done.standing, first);
  EXPECT_EQ(done.appeared, next);
  EXPECT_FALSE(done.wrapped);
  EXPECT_EQ(names(), Names{first});
  EXPECT_EQ(content(first), bytes({1, 3}));
  struct stat info{};
  ASSERT_EQ(stat(folder_.path(first).c_str(), &info), 0);
  EXPECT_EQ(done.file, (FileEntry{first, static_cast<std::uint64_t>(info.st_size),
                                  info.st_mtim.tv_sec * kSecond + info.st_mtim.tv_nsec}));
}

TEST_F(SnapshotFilesTest, OneThatTellsNothingNewIsRemoved) {
  starts(0);
  const std::string first = writes(3, {1, 2});
  EXPECT_EQ(fold(first, writes(4, {1, 2}), 3).fold, Fold::unchanged);
  EXPECT_EQ(fold(first, writes(2, {1, 1}), 3).fold, Fold::superseded);
  EXPECT_EQ(names(), Names{first});
  EXPECT_EQ(content(first), bytes({1, 2}));
}

TEST_F(SnapshotFilesTest, WhatMustNotBeFoldedStaysByteForByte) {
  starts(0);
  const std::string first = writes(3, {5, 5});
  const std::string smaller = writes(4, {9, 1});
  EXPECT_EQ(fold(first, smaller, 3).fold, Fold::kept);
  const std::string damaged = name(5);
  folder_.file(damaged, "no counters");
  EXPECT_EQ(fold(first, damaged, 3).fold, Fold::unreadable);
  const std::string empty = name(6);
  folder_.file(empty, "");
  EXPECT_EQ(fold(first, empty, 3).fold, Fold::unreadable);
  EXPECT_EQ(fold(damaged, writes(7, {9, 9}), 5).fold, Fold::kept);
  EXPECT_EQ(names(), (Names{first, smaller, damaged, empty, name(7)}));
  EXPECT_EQ(content(first), bytes({5, 5}));
  EXPECT_EQ(content(smaller), bytes({9, 1}));
  EXPECT_EQ(content(damaged), "no counters");
}

TEST_F(SnapshotFilesTest, ASymbolicLinkIsNotFollowed) {
  starts(0);
  const std::string first = writes(1, {1});
  folder_.file("elsewhere", bytes({2}));
  fs::create_symlink(folder_.path("elsewhere"), folder_.path(name(2)));
  EXPECT_EQ(fold(first, name(2), 1).fold, Fold::unreadable);
  EXPECT_EQ(content(first), bytes({1}));
  EXPECT_EQ(content("elsewhere"), bytes({2}));
}

TEST_F(SnapshotFilesTest, OneThatIsGoneHasVanished) {
  starts(0);
  const std::string first = writes(1, {1});
  EXPECT_EQ(fold(first, name(2), 1).fold, Fold::vanished);
  EXPECT_EQ(names(), Names{first});
}

TEST_F(SnapshotFilesTest, AWrappedCounterIsTold) {
  starts(0);
  const std::string first = writes(1, {4'000'000'000});
  const auto done = fold(first, writes(2, {3}), 1);
  EXPECT_EQ(done.fold, Fold::replaced);
  EXPECT_TRUE(done.wrapped);
}

TEST_F(SnapshotFilesTest, WhenAnotherImageMayHaveWrittenItTheProcessItselfDecides) {
  Helper writer;
  writer.exec_cat();
  starts(2);  // after the first file
  const auto snapshots = [&] {
    writes(1, {1}, writer.pid());
    writes(3, {2}, writer.pid());
  };
  const std::string first = name(1, writer.pid());
  const std::string next = name(3, writer.pid());
  snapshots();
  EXPECT_EQ(fold(first, next, 1, {}).fold, Fold::kept) << "its writer was never seen";
  const supervise::Sighting another{.meta = {}, .at_ns = 0, .image = "another", .exact = true};
  EXPECT_EQ(fold(first, next, 1, another).fold, Fold::kept);
  const supervise::Sighting same{
      .meta = {}, .at_ns = 0, .image = image_of(writer.pid(), {}).text, .exact = true};
  EXPECT_EQ(fold(first, next, 1, same).fold, Fold::replaced);
  snapshots();
  writer.die();
  EXPECT_EQ(fold(first, next, 1, same).fold, Fold::kept) << "who wrote the last one can't be seen";
}

// ---- Leftovers ----

TEST_F(SnapshotFilesTest, LeftoversOfAProcessBecomeOneFile) {
  const std::string notes = note(name(1), 0) + note(name(1, 1, kOther), 0, kOther);
  const std::string and_the_second = notes + note(name(1, 2), 0);
  for (const std::int64_t second : {1, 2, 3}) {
    writes(second, {static_cast<std::uint32_t>(second)});
    writes(second, {7}, 2);
    writes(second, {static_cast<std::uint32_t>(second * 2)}, 1, kOther);
  }
  for (int times = 0; times < 2; ++times) {
    fold_leftovers(folder_.path(), and_the_second);
    Names expected{name(1), name(1, 2), name(1, 1, kOther)};
    std::ranges::sort(expected);
    EXPECT_EQ(names(), expected);
    EXPECT_EQ(content(name(1)), bytes({3}));
    EXPECT_EQ(content(name(1, 2)), bytes({7}));
    EXPECT_EQ(content(name(1, 1, kOther)), bytes({6}));
  }
}

TEST_F(SnapshotFilesTest, LeftoversOfAWriterThatWasNotSeenStay) {
  const std::string notes = note(name(1, 2), 0);
  for (const std::int64_t second : {1, 2}) {
    writes(second, {1});
    writes(second, {1}, 2);
  }
  fold_leftovers(folder_.path(), "");
  EXPECT_EQ(names().size(), 4U);
  fold_leftovers(folder_.path(), notes);
  EXPECT_EQ(names(), (Names{name(1), name(2), name(1, 2)}));
}

TEST_F(SnapshotFilesTest, LeftoversThatAStartLiesBetweenStay) {
  writes(1, {1});
  writes(3, {2});
  writes(4, {3});
  const std::string first = supervise::writer_note({name(1), {.inode = 1, .changed_ns = 1}, ""});
  fold_leftovers(folder_.path(), first);
  EXPECT_EQ(names(), (Names{name(1), name(3), name(4)})) << "without a covmeta nothing is known";
  fold_leftovers(folder_.path(), first + note(name(3), 2));
  EXPECT_EQ(names(), (Names{name(1), name(3)}));
  EXPECT_EQ(content(name(1)), bytes({1}));
  EXPECT_EQ(content(name(3)), bytes({3}));
}

TEST_F(SnapshotFilesTest, LeftoversOfAWriterThatWasSeenWithTheirCovmetaAreItsOwn) {
  const std::string notes = note(name(1), 1);  // within a tick of the file
  writes(1, {1});
  writes(3, {2});
  fold_leftovers(folder_.path(), notes);
  EXPECT_EQ(names(), Names{name(1)});
}

TEST_F(SnapshotFilesTest, LeftoversThatGotSmallerOrCannotBeReadStay) {
  const std::string notes = note(name(1), 0) + note(name(4), 0);
  writes(1, {5});
  folder_.file(name(2), "damaged");
  writes(3, {6});
  writes(4, {1});
  writes(5, {2});
  folder_.file("tmp." + name(6), bytes({9}));
  fold_leftovers(folder_.path(), notes);
  EXPECT_EQ(names(), (Names{name(1), name(2), name(4), "tmp." + name(6)}));
  EXPECT_EQ(content(name(1)), bytes({6}));
  EXPECT_EQ(content(name(2)), "damaged");
  EXPECT_EQ(content(name(4)), bytes({2}));
}

TEST_F(SnapshotFilesTest, LeftoversOfAWriterThatGoesOnAreItsOwnWhateverHasStarted) {
  Helper writer;
  writer.exec_cat();
  const auto pid = static_cast<std::uint32_t>(writer.pid());
  writes(1, {1}, pid);
  writes(3, {2}, pid);
  starts(4);
  const auto noted = [&](const std::string& image) {
    return supervise::writer_note({name(1, pid), {.inode = 1, .changed_ns = 1}, image});
  };
  EXPECT_TRUE(fold_leftovers(folder_.path(), noted("1:2.1")).empty()) << "another one has its pid";
  EXPECT_TRUE(fold_leftovers(folder_.path(), noted("")).empty());
  EXPECT_EQ(names(), (Names{name(1, pid), name(3, pid)}));

  const std::string image = image_of(writer.pid(), {}).text;
  const auto running = fold_leftovers(folder_.path(), noted(image));
  EXPECT_EQ(names(), Names{name(1, pid)});
  EXPECT_EQ(content(name(1, pid)), bytes({2}));
  ASSERT_EQ(running.size(), 1U);
  EXPECT_EQ(running[0].file, *watch::look_at(folder_.path(), name(1, pid)));
  EXPECT_EQ(running[0].seen.image, image);
  EXPECT_EQ(running[0].seen.meta.changed_ns, (kBase + 4) * kSecond);

  writer.die();
  EXPECT_TRUE(fold_leftovers(folder_.path(), noted(image)).empty());
}

TEST_F(SnapshotFilesTest, WhoIsNotOurDescendantIsSeenOnlyWhereAnybodyMayBeTheWriter) {
  const std::string ours = name(1, static_cast<std::uint32_t>(getpid()));
  EXPECT_EQ(look_at_writer(folder_.path(), ours, {}).image, "");
  EXPECT_NE(look_at_writer(folder_.path(), ours, {.main = 0, .anybody = true}).image, "");
}

TEST(FoldLeftovers, AFolderThatIsNotThereIsNone) {
  fold_leftovers("/nonexistent/folder", supervise::writer_note({"x", {}, ""}));
}

}  // namespace
}  // namespace integcov::app
