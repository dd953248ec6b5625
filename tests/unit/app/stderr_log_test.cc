#include "app/stderr_log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <functional>
#include <string>

#include "base/unique_fd.h"

namespace integcov::app {
namespace {

// stderr is replaced while it lives; SIGPIPE is blocked, as it is in go-integcov.
class Stderr {
 public:
  explicit Stderr(int fd) : saved_(dup(STDERR_FILENO)) {
    dup2(fd, STDERR_FILENO);
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    sigprocmask(SIG_BLOCK, &pipe_, &mask_);
  }
  Stderr(const Stderr&) = delete;
  Stderr& operator=(const Stderr&) = delete;
  ~Stderr() {
    const timespec at_once{};
    sigtimedwait(&pipe_, nullptr, &at_once);
    sigprocmask(SIG_SETMASK, &mask_, nullptr);
    dup2(saved_.get(), STDERR_FILENO);
  }

 private:
  UniqueFd saved_;
  sigset_t pipe_{};
  sigset_t mask_{};
};

struct Channel {
  UniqueFd reader;
  UniqueFd writer;
};

Channel make_pipe() {
  std::array<int, 2> ends{};
  EXPECT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

Channel make_socket() {
  std::array<int, 2> ends{};
  EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

// All that is there now.
std::string take(const UniqueFd& reader) {
  std::string text;
  std::array<char, 4096> buffer{};
  pollfd readable{.fd = reader.get(), .events = POLLIN, .revents = 0};
  while (poll(&readable, 1, 0) > 0) {
    const ssize_t got = read(reader.get(), buffer.data(), buffer.size());
    if (got <= 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return text;
}

std::string written(const std::function<void(StderrLog&)>& by) {
  const Channel channel = make_pipe();
  const Stderr replaced(channel.writer.get());
  StderrLog log;
  by(log);
  return take(channel.reader);
}

TEST(StderrLog, WritesLinesAsText) {
  EXPECT_EQ(written([](StderrLog& log) {
              log.write(Severity::info, "one");
              log.write(Severity::warning, "two\nlines");
              log.write({Severity::error, "three"});
            }),
            "go-integcov: one\n"
            "go-integcov: warning: two\\x0alines\n"
            "go-integcov: error: three\n");
}

TEST(StderrLog, LeavesOutWhatIsBelowTheLevel) {
  const auto at = [](Severity lowest) {
    return written([&](StderrLog& log) {
      log.set_style({.lowest = lowest});
      log.write(Severity::debug, "d");
      log.write(Severity::info, "i");
      log.write(Severity::warning, "w");
      log.write(Severity::error, "e");
    });
  };
  EXPECT_EQ(at(Severity::info), "go-integcov: i\ngo-integcov: warning: w\ngo-integcov: error: e\n");
  EXPECT_EQ(at(Severity::error), "go-integcov: error: e\n");
  EXPECT_NE(at(Severity::debug).find("d\n"), std::string::npos);
}

TEST(StderrLog, WritesJsonWithLabels) {
  const std::string line = written([](StderrLog& log) {
    log.set_style({.json = true, .color = true, .labels = {{"team", "a\"b"}}});
    log.write(Severity::warning, "hello");
  });
  EXPECT_TRUE(line.starts_with('{')) << line;
  EXPECT_TRUE(line.ends_with("}\n")) << line;
  EXPECT_NE(line.find(R"("severity":"WARNING")"), std::string::npos) << line;
  EXPECT_NE(line.find(R"("message":"go-integcov: hello")"), std::string::npos) << line;
  EXPECT_NE(line.find(R"("time":"20)"), std::string::npos) << line;
  EXPECT_NE(line.find(R"("logging.googleapis.com/labels":{"team":"a\"b"})"), std::string::npos)
      << line;
  EXPECT_EQ(line.find('\x1b'), std::string::npos) << line;
}

TEST(StderrLog, IsColoredOnlyWhenTold) {
  const auto line = [](bool color) {
    return written([&](StderrLog& log) {
      log.set_style({.color = color});
      log.write(Severity::error, "e");
    });
  };
  EXPECT_EQ(line(false).find('\x1b'), std::string::npos);
  EXPECT_NE(line(true).find("\x1b["), std::string::npos);
}

TEST(StderrLog, AStderrThatNobodyReadsNeitherKillsNorStopsUs) {
  for (const auto& make : {make_pipe, make_socket}) {
    Channel channel = make();
    const Stderr replaced(channel.writer.get());
    channel.reader.reset();
    StderrLog log;
    for (int i = 0; i < 100; ++i) log.write(Severity::error, "nobody hears this");
    log.flush();
  }
  const Channel unwritable{UniqueFd(), UniqueFd(open("/dev/null", O_RDONLY | O_CLOEXEC))};
  const Stderr replaced(unwritable.writer.get());
  StderrLog log;
  log.write(Severity::error, "nor this");
  log.flush();
}

TEST(StderrLog, AClosedStderrIsNoTroubleEither) {
  const Channel channel = make_pipe();
  const Stderr replaced(channel.writer.get());
  close(STDERR_FILENO);
  StderrLog log;
  log.write(Severity::error, "x");
  log.flush();
}

// Fills it to the last byte.
std::size_t fill(const UniqueFd& writer) {
  const int flags = fcntl(writer.get(), F_GETFL);
  fcntl(writer.get(), F_SETFL, flags | O_NONBLOCK);
  std::size_t total = 0;
  for (const std::size_t size : {std::size_t{4096}, std::size_t{1}}) {
    const std::string dots(size, '.');
    ssize_t put = 0;
    while ((put = write(writer.get(), dots.data(), dots.size())) > 0) {
      total += static_cast<std::size_t>(put);
    }
  }
  fcntl(writer.get(), F_SETFL, flags);
  return total;
}

TEST(StderrLog, AFullOneDoesNotBlockAndGetsEverythingOnceItIsRead) {
  for (const auto& make : {make_pipe, make_socket}) {
    const Channel channel = make();
    std::string expected(fill(channel.writer), '.');
    const Stderr replaced(channel.writer.get());
    StderrLog log;
    for (int i = 0; i < 1000; ++i) {
      const std::string text = "line " + std::to_string(i) + std::string(30, '-');
      log.write(Severity::info, text);
      expected += "go-integcov: " + text + '\n';
    }
    std::string got = take(channel.reader);
    log.write(Severity::info, "last");  // brings the earlier ones
    expected += "go-integcov: last\n";
    for (int round = 0; round < 20 && got.size() < expected.size(); ++round) {
      got += take(channel.reader);
      log.flush();
    }
    EXPECT_EQ(got.size(), expected.size());
    EXPECT_TRUE(got == expected);
  }
}

TEST(StderrLog, AFullTerminalDoesNotBlock) {
  int master = -1;
  int terminal = -1;
  ASSERT_EQ(openpty(&master, &terminal, nullptr, nullptr, nullptr), 0);
  const Channel channel{UniqueFd(master), UniqueFd(terminal)};
  fill(channel.writer);
  const Stderr replaced(channel.writer.get());
  StderrLog log;
  log.write(Severity::info, "later");
  std::string got;
  for (int round = 0; round < 1000 && !got.ends_with("later\r\n"); ++round) {
    got += take(channel.reader);
    log.flush();
  }
  EXPECT_TRUE(got.ends_with("go-integcov: later\r\n"));
}

TEST(StderrLog, WhatIsBeyond64KiBIsDroppedByWholeLines) {
  const Channel channel = make_pipe();
  const std::size_t before = fill(channel.writer);
  const Stderr replaced(channel.writer.get());
  StderrLog log;
  const std::string text(1000, 'x');
  for (int i = 0; i < 1000; ++i) log.write(Severity::info, text);
  std::string got;
  for (int round = 0; round < 40; ++round) {
    got += take(channel.reader);
    log.flush();
  }
  got.erase(0, before);
  const std::size_t line = std::string("go-integcov: ").size() + text.size() + 1;
  EXPECT_EQ(got.size() % line, 0U);
  EXPECT_EQ(got.size() / line, std::size_t{64} * 1024 / line);
}

TEST(StderrLog, FlushGivesUpOnAStderrThatStaysFull) {
  const Channel channel = make_pipe();
  fill(channel.writer);
  const Stderr replaced(channel.writer.get());
  StderrLog log;
  log.write(Severity::error, "stuck");
  log.flush();  // returns: that is the test
  EXPECT_EQ(take(channel.reader).find("stuck"), std::string::npos);
}

TEST(StderrLog, LeavesTheModeOfTheSharedDescriptionAlone) {
  const Channel channel = make_pipe();
  const int before = fcntl(channel.writer.get(), F_GETFL);
  const Stderr replaced(channel.writer.get());
  StderrLog log;
  log.write(Severity::error, "x");
  EXPECT_EQ(fcntl(channel.writer.get(), F_GETFL), before);
}

}  // namespace
}  // namespace integcov::app
