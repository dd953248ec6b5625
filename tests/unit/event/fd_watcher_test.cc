#include "event/fd_watcher.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>

#include "base/unique_fd.h"
#include "event/timer.h"

namespace integcov::event {
namespace {

using namespace std::chrono_literals;

struct Pair {
  Pair() {
    std::array<int, 2> fds{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()), 0);
    ours.reset(fds[0]);
    theirs.reset(fds[1]);
  }
  void write() const { EXPECT_EQ(::send(theirs.get(), "x", 1, 0), 1); }
  void read() const {
    char c = 0;
    EXPECT_EQ(::recv(ours.get(), &c, 1, 0), 1);
  }
  UniqueFd ours;
  UniqueFd theirs;
};

TEST(FdWatcher, TellsWhatIsReadableAndStopsWhenAskedTo) {
  Loop loop;
  const Pair pair;
  pair.write();
  int calls = 0;
  FdWatcher watcher(loop, pair.ours.get(), [&](Readiness ready) {
    ++calls;
    EXPECT_TRUE(ready.readable);
    EXPECT_FALSE(ready.writable);
    watcher.watch({});
  });
  watcher.watch({.readable = true});
  loop.run();
  EXPECT_EQ(calls, 1);
}

TEST(FdWatcher, ComesAgainWhileThereIsMoreToRead) {
  Loop loop;
  const Pair pair;
  pair.write();
  pair.write();
  int calls = 0;
  FdWatcher watcher(loop, pair.ours.get(), [&](Readiness) {
    pair.read();
    if (++calls == 2) watcher.watch({});
  });
  watcher.watch({.readable = true});
  loop.run();
  EXPECT_EQ(calls, 2);
}

TEST(FdWatcher, WatchingReplacesWhatWasWatched) {
  Loop loop;
  const Pair pair;
  std::string seen;
  FdWatcher watcher(loop, pair.ours.get(), [&](Readiness ready) {
    seen += ready.writable ? 'w' : 'r';
    if (ready.writable) {
      watcher.watch({.readable = true});
      pair.write();
    } else {
      watcher.watch({});
    }
  });
  watcher.watch({.readable = true});
  watcher.watch({.writable = true});
  loop.run();
  EXPECT_EQ(seen, "wr");
}

TEST(FdWatcher, TheOtherEndsCloseIsReadable) {
  Loop loop;
  Pair pair;
  pair.theirs.reset();
  bool readable = false;
  FdWatcher watcher(loop, pair.ours.get(), [&](Readiness ready) {
    readable = ready.readable;
    watcher.watch({});
  });
  watcher.watch({.readable = true});
  loop.run();
  EXPECT_TRUE(readable);
}

TEST(FdWatcher, ItsCallbackMayDestroyItAndUseItsCaptureAfterwards) {
  Loop loop;
  const Pair pair;
  pair.write();
  std::string said;
  std::unique_ptr<FdWatcher> watcher;
  watcher = std::make_unique<FdWatcher>(
      loop, pair.ours.get(), [&, word = std::string("a word too long for the stack")](Readiness) {
        watcher.reset();
        said = word;
      });
  watcher->watch({.readable = true});
  loop.run();
  EXPECT_EQ(said, "a word too long for the stack");
}

TEST(FdWatcher, OneMayDestroyAnotherThatIsReadyInTheSameTurn) {
  Loop loop;
  const Pair a;
  const Pair b;
  a.write();
  b.write();
  std::unique_ptr<FdWatcher> on_a;
  std::unique_ptr<FdWatcher> on_b;
  int calls = 0;
  const auto end_both = [&](Readiness) {
    ++calls;
    on_a.reset();
    on_b.reset();
  };
  on_a = std::make_unique<FdWatcher>(loop, a.ours.get(), end_both);
  on_b = std::make_unique<FdWatcher>(loop, b.ours.get(), end_both);
  on_a->watch({.readable = true});
  on_b->watch({.readable = true});
  loop.run();
  EXPECT_EQ(calls, 1);
}

TEST(FdWatcher, DestroyedItLeavesTheFdOpenAndFreeForANewWatcher) {
  Loop loop;
  const Pair pair;
  pair.write();
  {
    FdWatcher first(loop, pair.ours.get(), [](Readiness) { ADD_FAILURE(); });
  }
  int calls = 0;
  FdWatcher second(loop, pair.ours.get(), [&](Readiness) {
    ++calls;
    second.watch({});
  });
  second.watch({.readable = true});
  loop.run();
  EXPECT_EQ(calls, 1);
}

TEST(FdWatcher, ARegularFileIsRefused) {
  Loop loop;
  const std::unique_ptr<std::FILE, decltype(&std::fclose)> file(std::tmpfile(), &std::fclose);
  EXPECT_THROW(FdWatcher(loop, fileno(file.get()), [](Readiness) {}), std::runtime_error);
  loop.run();  // nothing of it is left
}

}  // namespace
}  // namespace integcov::event
