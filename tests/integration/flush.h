// Snapshots of running programs: where they are stored, and what they say.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "integration/scenario.h"

namespace integcov::test {

using Tree = std::map<std::string, std::string>;

// How often `driven` or `counts` called its function, all processes together, by `go tool covdata`:
// the most frequent statement's count. 0: there are no counters.
inline std::uint64_t hits(const std::filesystem::path& folder) {
  // A copy: a running program's snapshots take each other's places.
  Tree tree = read_tree(folder);
  std::erase_if(tree, [](const auto& file) { return file.second.empty(); });
  if (std::ranges::none_of(tree,
                           [](const auto& f) { return f.first.starts_with("covcounters"); })) {
    return 0;
  }
  const TempDir copy;
  download(tree, "", copy / "f");
  std::istringstream lines(profile(copy / "f"));
  std::uint64_t most = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.find("/driven/main.go:") != std::string::npos) continue;  // what reads stdin
    std::uint64_t count = 0;
    const auto at = line.rfind(' ');
    if (at == std::string::npos) continue;
    std::from_chars(line.data() + at + 1, line.data() + line.size(), count);
    most = std::max(most, count);
  }
  return most;
}

// Of a bucket, below the prefix "f/".
inline std::uint64_t hits(const ObjectStore& store) {
  const TempDir copy;
  download(store.objects(), "f/", copy / "f");
  return hits(copy / "f");
}

inline Tree counters_in(const Tree& tree) {
  Tree counters;
  for (const auto& [name, content] : tree) {
    if (name.substr(name.rfind('/') + 1).starts_with("covcounters.")) counters[name] = content;
  }
  return counters;
}

// What the runs left in their GOCOVERDIR, but for a snapshot of the handler that the program's own
// end cut short under its temporary name.
inline Tree left_in(const std::filesystem::path& coverdir) {
  Tree tree = read_tree(coverdir, Records::included);
  std::erase_if(tree, [](const auto& file) { return file.first.starts_with("tmp.covcounters."); });
  return tree;
}

// The process id in the name covcounters.HASH.PID.NS.
inline std::string pid_in(const std::string& name) {
  const auto ns = name.rfind('.');
  const auto pid = name.rfind('.', ns - 1);
  return name.substr(pid + 1, ns - pid - 1);
}

// A run of go-integcov that stores into a folder or a bucket.
class Flushing {
 public:
  using Env = std::map<std::string, std::string>;

  // No storage, a folder "s", or that server's bucket.
  static Env nowhere(const TempDir& dir) { return {{"GOCOVERDIR", (dir / "cov").string()}}; }
  static Env folder(const TempDir& dir) {
    return {{"GOCOVERDIR", (dir / "cov").string()},
            {"INTEGCOV_STORAGE", "file://" + (dir / "s").string()}};
  }
  static Env bucket(const TempDir& dir, const ObjectStore& store) {
    return {{"GOCOVERDIR", (dir / "cov").string()},
            {"INTEGCOV_STORAGE", "gs://bucket/f"},
            {"STORAGE_EMULATOR_HOST", store.url()}};
  }

  Flushing(Env env, std::vector<std::string> command, const std::string& interval = "50ms",
           const Env& more = {})
      : process_(with_us(std::move(command)), options(std::move(env), interval, more)) {}

  Process& process() { return process_; }

  // Feeds `driven` a line and waits until it has done that.
  void tell(const std::string& line) {
    process_.feed(line + "\n");
    ++told_;
    ASSERT_TRUE(eventually([&] { return count_of(process_.out(), "done\n") == told_; }))
        << process_.err();
  }
  // How often SIGUSR1 has come to `driven`.
  int signals() {
    tell("signals");
    const std::string out = process_.out();
    return std::stoi(out.substr(out.rfind("signals ") + 8));
  }
  // Waits for that many images of `driven`, gives the last one's pid.
  pid_t driven(std::size_t images = 1) {
    EXPECT_TRUE(eventually([&] {
      return count_of(process_.out(), "pid ") == images && process_.out().back() == '\n';
    })) << process_.err();
    const std::string out = process_.out();
    return std::stoi(out.substr(out.rfind("pid ") + 4));
  }
  Ended end() {
    process_.close_stdin();
    return process_.wait();
  }

 private:
  static std::vector<std::string> with_us(std::vector<std::string> command) {
    command.insert(command.begin(), go_integcov());
    return command;
  }
  static Options options(Env env, const std::string& interval, Env more) {
    more.merge(env);
    more["INTEGCOV_FLUSH_INTERVAL"] = interval;
    return {.env = more, .keep_stdin_open = true};
  }
  Process process_;
  std::size_t told_ = 0;
};

}  // namespace integcov::test
