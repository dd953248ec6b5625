#include "config/signal_name.h"

#include <gtest/gtest.h>
#include <signal.h>

namespace integcov::config {
namespace {

int parsed(std::string_view text) {
  const Result<int> signal = parse_signal(text);
  EXPECT_TRUE(signal.ok()) << (signal.ok() ? "" : signal.message());
  return signal ? *signal : -1;
}

TEST(ParseSignal, ReadsNamesAndNumbers) {
  EXPECT_EQ(parsed("SIGINT"), SIGINT);
  EXPECT_EQ(parsed("INT"), SIGINT);
  EXPECT_EQ(parsed("sigint"), SIGINT);
  EXPECT_EQ(parsed("2"), SIGINT);
  EXPECT_EQ(parsed("SIGTERM"), SIGTERM);
  EXPECT_EQ(parsed("SIGPOLL"), SIGIO);
  EXPECT_EQ(parsed("SIGIOT"), SIGABRT);
}

TEST(ParseSignal, ReadsRealtimeSignals) {
  EXPECT_EQ(parsed("SIGRTMIN"), SIGRTMIN);
  EXPECT_EQ(parsed("SIGRTMIN+3"), SIGRTMIN + 3);
  EXPECT_EQ(parsed("RTMIN+0"), SIGRTMIN);
  EXPECT_EQ(parsed("RTMAX-1"), SIGRTMAX - 1);
  EXPECT_EQ(parsed(std::to_string(SIGRTMAX)), SIGRTMAX);
}

TEST(ParseSignal, RefusesWhatIsNotASignal) {
  for (const char* bad : {"", "SIG", "SIGFOO", "SIGSIGINT", "0", "-1", "32", "33", "65", " 2",
                          "4294967298", "SIGRTMIN+", "SIGRTMIN-1", "SIGRTMAX+1", "SIGRTMIN+99",
                          "SIGRTMIN+-1", "SIGRTMIN+4294967296"}) {
    const Result<int> signal = parse_signal(bad);
    ASSERT_FALSE(signal.ok()) << bad;
    EXPECT_EQ(signal.message(),
              '"' + std::string(bad) +
                  "\" is not a signal; expected a name or number such as SIGINT, TERM or 2");
  }
}

TEST(ParseSignal, RefusesWhatCantBeForwarded) {
  for (const char* bad : {"SIGKILL", "9", "STOP", "SIGCHLD", "CLD"}) {
    const Result<int> signal = parse_signal(bad);
    ASSERT_FALSE(signal.ok()) << bad;
    EXPECT_NE(signal.message().find("can't be passed on"), std::string::npos);
  }
}

TEST(ParseFlushSignal, ASignalThatGoKeepsForItselfIsRefused) {
  EXPECT_EQ(*parse_flush_signal("usr2"), SIGUSR2);
  EXPECT_EQ(*parse_flush_signal("RTMIN+1"), SIGRTMIN + 1);
  for (const char* bad : {"URG", "SIGRTMIN", "34"}) {
    const auto signal = parse_flush_signal(bad);
    ASSERT_FALSE(signal) << bad;
    EXPECT_EQ(signal.message(),
              '"' + std::string(bad) +
                  "\" can't be a request to a Go program; expected a name or number "
                  "such as SIGUSR1, USR2 or 12");
  }
  EXPECT_FALSE(parse_flush_signal("KILL"));
}

TEST(SignalName, NamesEachSignal) {
  EXPECT_EQ(signal_name(SIGINT), "SIGINT");
  EXPECT_EQ(signal_name(SIGKILL), "SIGKILL");
  EXPECT_EQ(signal_name(SIGABRT), "SIGABRT");
  EXPECT_EQ(signal_name(SIGRTMIN), "SIGRTMIN");
  EXPECT_EQ(signal_name(SIGRTMIN + 3), "SIGRTMIN+3");
  EXPECT_EQ(signal_name(0), "signal 0");
  EXPECT_EQ(signal_name(99), "signal 99");
}

TEST(SignalName, IsReadBack) {
  for (int signal = 1; signal <= SIGRTMAX; ++signal) {
    if (signal == SIGKILL || signal == SIGSTOP || signal == SIGCHLD) continue;
    if (signal > 31 && signal < SIGRTMIN) continue;  // the C library's own
    EXPECT_EQ(parsed(signal_name(signal)), signal);
  }
}

}  // namespace
}  // namespace integcov::config
