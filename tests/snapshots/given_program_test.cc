// The program "snapshots" as go_versions.py built it.
#include <gtest/gtest.h>

#include <cstdlib>

#include "snapshots/own_file.h"

namespace integcov::test {
namespace {

// SNAPSHOTS_PROGRAM is the binary; SNAPSHOTS_ALL is set if even the way to its end has counters.
TEST(GivenProgram, IsReadAsItWritesItself) {
  const char* binary = std::getenv("SNAPSHOTS_PROGRAM");
  ASSERT_NE(binary, nullptr);
  Fed fed(binary);
  fed.feed("hello");
  app::MemorySnapshots snapshots(fed.folder());
  const auto taken = snapshots.take(fed.program().pid());
  ASSERT_TRUE(std::holds_alternative<app::Written>(taken)) << described(taken);
  const std::string name = std::get<app::Written>(taken).name;
  const coverage::Counters ours = counters_in(fed.folder() / name);
  const std::string own_name = fed.end();
  const coverage::Counters own = counters_in(fed.folder() / own_name);
  EXPECT_EQ(ours.hash, own.hash);
  EXPECT_EQ(ours.args, own.args);
  const std::string profile = profile_of(fed.folder(), name);
  if (std::getenv("SNAPSHOTS_ALL") != nullptr) {
    EXPECT_EQ(compare(ours, own), coverage::Growth::grown);
    EXPECT_GT(ours.functions.size(), 100U);
    return;
  }
  EXPECT_EQ(ours.functions, own.functions);
  EXPECT_EQ(ours.values, own.values);
  EXPECT_EQ(profile, profile_of(fed.folder(), own_name));
}

}  // namespace
}  // namespace integcov::test
