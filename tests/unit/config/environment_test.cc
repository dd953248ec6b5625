#include "config/environment.h"

#include <gtest/gtest.h>

#include <vector>

namespace integcov::config {
namespace {

TEST(Environment, HoldsNamesAndValues) {
  const char* const envp[] = {"A=1", "B=x=y", nullptr};
  const Environment env(envp);
  EXPECT_EQ(env.get("A"), "1");
  EXPECT_EQ(env.get("B"), "x=y");
  EXPECT_EQ(env.get("C"), std::nullopt);
}

TEST(Environment, TakesTheFirstOfTwo) {
  const char* const envp[] = {"A=1", "A=2", "B=", "B=2", nullptr};
  const Environment env(envp);
  EXPECT_EQ(env.get("A"), "1");
  EXPECT_EQ(env.get("B"), std::nullopt);
}

TEST(Environment, CountsAnEmptyValueAsUnset) {
  const char* const envp[] = {"A=", nullptr};
  EXPECT_EQ(Environment(envp).get("A"), std::nullopt);
}

TEST(Environment, IgnoresWhatIsNoEntry) {
  const char* const envp[] = {"A", "=B", "", "C=1", nullptr};
  const Environment env(envp);
  EXPECT_EQ(std::distance(env.begin(), env.end()), 1);
}

TEST(Environment, MayBeMissing) {
  EXPECT_EQ(Environment(nullptr).get("A"), std::nullopt);
  const Environment empty;
  EXPECT_EQ(empty.begin(), empty.end());
}

TEST(Environment, ListsItsEntriesInOrder) {
  const char* const envp[] = {"B=2", "C=", "A=1", nullptr};
  std::vector<std::string> names;
  for (const auto& [name, value] : Environment(envp)) names.push_back(name);
  EXPECT_EQ(names, (std::vector<std::string>{"A", "B", "C"}));
}

TEST(Environment, OutlivesWhatItWasMadeFrom) {
  std::string entry = "A=1";
  const char* const envp[] = {entry.c_str(), nullptr};
  const Environment env(envp);
  entry = "A=2";
  EXPECT_EQ(env.get("A"), "1");
}

}  // namespace
}  // namespace integcov::config
