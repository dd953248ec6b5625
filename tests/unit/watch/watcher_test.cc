#include "watch/watcher.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "event/loop.h"
#include "event/timer.h"
#include "unit/watch/temporary_folder.h"

namespace integcov::watch {
namespace {

using namespace std::chrono_literals;
using Events = std::vector<std::string>;

class WatcherTest : public testing::Test {
 protected:
  std::unique_ptr<Watcher> watch_folder(bool recurse = true, Watcher::Begun begun = {}) {
    auto watcher = std::make_unique<Watcher>(
        loop_, dir_.path(), recurse,
        Watcher::Callbacks{.finished = [this](const std::string& path) { saw("finished " + path); },
                           .made = [this](const std::string& path) { made_.push_back(path); },
                           .missed = [this] { ++missed_; },
                           .lost = [this] { saw("lost"); }});
    watcher->open(std::move(begun));
    return watcher;
  }

  void saw(const std::string& event) {
    events_.push_back(event);
    if (on_event_) on_event_(event);
    if (event == until_) loop_.stop();
  }

  // What comes until `last` does; the time is a bound for a failing test only.
  Events until(const std::string& last) {
    events_.clear();
    until_ = last;
    event::Timer bound(loop_, [this] {
      ADD_FAILURE() << "no \"" << until_ << '"';
      loop_.stop();
    });
    bound.arm(20s);
    loop_.run();
    return events_;
  }

  // A marker file: all earlier events have been told when it has been.
  Events all() {
    dir_.file("tmp");
    fs::rename(dir_.path("tmp"), dir_.path("marker"));
    Events events = until("finished marker");
    std::erase_if(events, [](const std::string& event) {
      return event.ends_with(" tmp") || event.ends_with(" marker");
    });
    return events;
  }

  TemporaryFolder dir_;
  event::Loop loop_;
  Events events_;
  Events made_;
  int missed_ = 0;
  std::string until_;
  std::function<void(const std::string&)> on_event_;
};

TEST_F(WatcherTest, AFileIsFinishedWhenItGetsItsFinalName) {
  const auto watcher = watch_folder();
  const UniqueFd file(open(dir_.path("tmp.covmeta").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  fs::rename(dir_.path("tmp.covmeta"), dir_.path("covmeta"));
  EXPECT_EQ(all(), (Events{"finished covmeta"}));
}

TEST_F(WatcherTest, OrWhenItIsClosedAfterWriting) {
  const auto watcher = watch_folder();
  dir_.file("report");
  EXPECT_EQ(all(), (Events{"finished report"}));
}

TEST_F(WatcherTest, ThatItIsMadeIsToldBefore) {
  const auto watcher = watch_folder();
  on_event_ = [&](const std::string&) { EXPECT_EQ(made_.back(), "tmp.covmeta"); };
  dir_.file("tmp.covmeta");
  until("finished tmp.covmeta");
  on_event_ = nullptr;
  dir_.folder("sub");
  all();
  EXPECT_EQ(made_, (Events{"tmp.covmeta", "tmp"})) << "a folder is none";
}

TEST_F(WatcherTest, CatchingUpTellsAtOnceWhatHasHappened) {
  const auto watcher = watch_folder();
  dir_.file("one");
  watcher->catch_up();
  EXPECT_EQ(events_, Events{"finished one"});
  for (int i = 0; i < 1000; ++i) dir_.file("file" + std::to_string(i));  // more than one read takes
  watcher->catch_up();
  EXPECT_EQ(events_.size(), 1001U);
  EXPECT_EQ(missed_, 1) << "that before the watch";
}

TEST_F(WatcherTest, ACallbackThatCatchesUpIsToldTheRestInItsOrder) {
  const auto watcher = watch_folder();
  Events expected;
  for (int i = 0; i < 500; ++i) {
    dir_.file("file" + std::to_string(i));
    expected.push_back("finished file" + std::to_string(i));
  }
  on_event_ = [&](const std::string&) { watcher->catch_up(); };
  dir_.file("end");
  Events events = until("finished end");
  events.pop_back();
  EXPECT_EQ(events, expected);
}

TEST_F(WatcherTest, AWatchMayBeginBeforeTheWatcher) {
  Watcher::Begun begun = Watcher::begin(dir_.path());
  dir_.file("file");
  const auto watcher = watch_folder(true, std::move(begun));
  EXPECT_EQ(all(), Events{"finished file"});
  EXPECT_EQ(missed_, 0);
  EXPECT_FALSE(Watcher::begin(dir_.path("nowhere")).queue);
}

TEST_F(WatcherTest, OfAFolderThatIsAnotherByThen) {
  Watcher::Begun begun = Watcher::begin(dir_.path());
  fs::remove_all(dir_.path());
  fs::create_directory(dir_.path());
  const auto watcher = watch_folder(true, std::move(begun));
  EXPECT_EQ(missed_, 1);
  dir_.file("file");
  EXPECT_EQ(std::ranges::count(all(), "finished file"), 1);
}

TEST_F(WatcherTest, ReadingAndDeletingSayNothing) {
  dir_.file("old");
  const auto watcher = watch_folder();
  {
    const UniqueFd file(open(dir_.path("old").c_str(), O_RDONLY | O_CLOEXEC));
  }
  fs::remove(dir_.path("old"));
  EXPECT_EQ(all(), Events{});
}

TEST_F(WatcherTest, ASubfolderAsksForAListingAndIsWatchedOnRequest) {
  const auto watcher = watch_folder();
  dir_.folder("sub");
  EXPECT_EQ(all(), Events{"lost"});
  EXPECT_TRUE(watcher->watch("sub"));
  EXPECT_FALSE(watcher->watch("sub"));
  dir_.file("sub/file");
  EXPECT_EQ(all(), (Events{"finished sub/file"}));
}

TEST_F(WatcherTest, ManySubfoldersAtOnceAskForFewListings) {
  const auto watcher = watch_folder();
  for (int i = 0; i < 300; ++i) dir_.folder("sub" + std::to_string(i));
  const Events events = all();
  EXPECT_GE(events.size(), 1U);
  EXPECT_LE(events.size(), 3U);
}

TEST_F(WatcherTest, SubfoldersAndTheControlFolderMayBeOfNoInterest) {
  {
    const auto watcher = watch_folder(false);
    dir_.folder("sub");
    EXPECT_EQ(all(), Events{});
  }
  const auto watcher = watch_folder(true);
  dir_.folder(".integcov");
  EXPECT_EQ(all(), Events{});
}

TEST_F(WatcherTest, ASubfolderThatWasRenamedIsKnownByItsNewName) {
  dir_.folder("old");
  const auto watcher = watch_folder();
  watcher->watch("old");
  fs::rename(dir_.path("old"), dir_.path("new"));
  EXPECT_EQ(all(), Events{"lost"});
  watcher->watch("new");
  dir_.file("new/file");
  EXPECT_EQ(all(), (Events{"finished new/file"}));
  dir_.folder("old");  // another one
  EXPECT_EQ(all(), Events{"lost"});
  EXPECT_TRUE(watcher->watch("old"));
}

TEST_F(WatcherTest, AFolderThatWasDeletedAndMadeAgainIsWatchedAgain) {
  const auto watcher = watch_folder();
  fs::remove_all(dir_.path());
  fs::create_directory(dir_.path());
  EXPECT_EQ(missed_, 1);
  EXPECT_TRUE(watcher->watch(""));  // before the loop has told that the first one is gone
  EXPECT_EQ(missed_, 2);
  dir_.file("file");
  const Events events = all();
  EXPECT_EQ(std::ranges::count(events, "finished file"), 1);
  EXPECT_EQ(std::ranges::count(events, "lost"), 1);
  EXPECT_FALSE(watcher->watch(""));
}

TEST_F(WatcherTest, ASymbolicLinkIsNotFollowedIntoAnotherFolder) {
  const TemporaryFolder elsewhere;
  fs::create_directory_symlink(elsewhere.path(), dir_.path("link"));
  const auto watcher = watch_folder();
  EXPECT_FALSE(watcher->watch("link"));
  elsewhere.file("secret");
  EXPECT_EQ(all(), Events{});
}

TEST_F(WatcherTest, AnOverflowAsksForAListing) {
  std::ifstream limit("/proc/sys/fs/inotify/max_queued_events");
  int most = 0;
  if (!(limit >> most) || most > 100'000) GTEST_SKIP() << "the kernel's queue is too long";
  const auto watcher = watch_folder();
  // Equal events in a row are merged: two names in turn.
  for (int i = 0; i <= most / 2 + 1; ++i) {
    for (const char* name : {"a", "b"}) {
      const UniqueFd file(open(dir_.path(name).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    }
  }
  const Events events = until("lost");
  EXPECT_EQ(std::ranges::count(events, "lost"), 1);
  EXPECT_EQ(missed_, 2);
}

// The kernel marks the first loss only, as long as the mark is not read.
TEST_F(WatcherTest, BehindAnOverflowMoreMayBeMissing) {
  std::ifstream limit("/proc/sys/fs/inotify/max_queued_events");
  int most = 0;
  if (!(limit >> most) || most > 100'000) GTEST_SKIP() << "the kernel's queue is too long";
  const auto watcher = watch_folder();
  EXPECT_EQ(missed_, 1) << "what was before the watch";
  for (int i = 0; i <= most / 2 + 1; ++i) {
    for (const char* name : {"a", "b"}) {
      const UniqueFd file(open(dir_.path(name).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    }
  }
  watcher->catch_up();
  EXPECT_EQ(missed_, 3) << "at the mark, and when all was read";
  dir_.file("file");
  watcher->catch_up();
  EXPECT_EQ(missed_, 3);
}

TEST_F(WatcherTest, AfterCloseNothingComes) {
  const auto watcher = watch_folder();
  dir_.file("file");
  watcher->close();
  EXPECT_FALSE(watcher->watch(""));
  loop_.run();  // no handle is left
  EXPECT_EQ(events_, Events{});
}

TEST_F(WatcherTest, ACallbackMayCloseIt) {
  const auto watcher = watch_folder();
  on_event_ = [&](const std::string&) { watcher->close(); };
  dir_.file("one");
  dir_.folder("sub");
  dir_.file("two");
  loop_.run();
  EXPECT_EQ(events_, Events{"finished one"});
}

TEST_F(WatcherTest, WithoutInotifyItDoesNothing) {
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  const rlimit none{.rlim_cur = 0, .rlim_max = before.rlim_max};
  setrlimit(RLIMIT_NOFILE, &none);
  const auto watcher = watch_folder();
  setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_FALSE(watcher->watch(""));
  EXPECT_EQ(missed_, 0);
  dir_.file("file");
  loop_.run();
  EXPECT_EQ(events_, Events{});
}

TEST_F(WatcherTest, AFolderThatIsNotThereYetIsWatchedOnceItIs) {
  fs::remove(dir_.path());
  const auto watcher = watch_folder();
  EXPECT_FALSE(watcher->watch(""));
  fs::create_directory(dir_.path());
  EXPECT_TRUE(watcher->watch(""));
  dir_.file("file");
  EXPECT_EQ(all(), (Events{"finished file"}));
}

}  // namespace
}  // namespace integcov::watch
