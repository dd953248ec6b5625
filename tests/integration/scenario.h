// A bucket with faults, and runs of go-integcov against it: over http as with an emulator, or over
// https with a token as with the service.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "integration/parts.h"

namespace integcov::test {

enum class Wire { plain, tls };

class Scenario {
 public:
  explicit Scenario(Wire wire = Wire::plain, std::vector<std::string> flags = {}) : wire_(wire) {
    if (wire == Wire::tls) {
      flags.insert(flags.end(),
                   {"-tls", "-ca-out", (dir_ / "ca.pem").string(), "-token", "secret"});
    }
    store_ = std::make_unique<ScriptedGcs>(flags);
  }

  [[nodiscard]] const ScriptedGcs& store() const { return *store_; }
  [[nodiscard]] std::filesystem::path coverdir(const std::string& name = "cov") const {
    return dir_ / name;
  }

  [[nodiscard]] std::map<std::string, std::string> env(const std::string& coverdir = "cov") const {
    std::map<std::string, std::string> env{{"INTEGCOV_STORAGE", "gs://bucket/f"},
                                           {"HOME", (dir_ / "home").string()},
                                           {"NO_PROXY", "*"},
                                           {"GOCOVERDIR", (dir_ / coverdir).string()}};
    if (wire_ == Wire::plain) {
      env["STORAGE_EMULATOR_HOST"] = store_->url();
    } else {
      env["INTEGCOV_GCS_ENDPOINT"] = store_->secure_url();
      env["SSL_CERT_FILE"] = (dir_ / "ca.pem").string();
      env["GCE_METADATA_HOST"] = store_->address();
    }
    return env;
  }

  // Command words after go-integcov.
  [[nodiscard]] static std::vector<std::string> command(std::vector<std::string> words) {
    words.insert(words.begin(), go_integcov());
    return words;
  }
  [[nodiscard]] Ended run(const std::vector<std::string>& words,
                          const std::map<std::string, std::string>& more = {}) const {
    auto all = more;
    all.merge(env());
    return test::run(command(words), {.env = all});
  }

  // What was said, and what is in the bucket: exactly the folder's files.
  void expect_all_stored(const Ended& ended) const {
    EXPECT_EQ(ended.code, 0);
    EXPECT_EQ(ended.err.find("not uploaded"), std::string::npos) << ended.err;
    EXPECT_NE(ended.err.find("uploaded "), std::string::npos) << ended.err;
    expect_equal(stored(), read_tree(coverdir()));
  }
  // Says which file differs, not how: some have megabytes.
  static void expect_equal(const std::map<std::string, std::string>& got,
                           const std::map<std::string, std::string>& wanted) {
    EXPECT_EQ(got.size(), wanted.size());
    for (const auto& [name, content] : wanted) {
      const auto found = got.find(name);
      EXPECT_TRUE(found != got.end() && found->second == content) << name;
    }
  }
  // Content below the prefix.
  [[nodiscard]] std::map<std::string, std::string> stored() const {
    std::map<std::string, std::string> result;
    for (auto& [name, content] : store_->objects()) {
      EXPECT_TRUE(name.starts_with("f/")) << name;
      result[name.substr(2)] = content;
    }
    return result;
  }

 private:
  Wire wire_;
  TempDir dir_;
  std::unique_ptr<ScriptedGcs> store_;
};

inline std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

// Without the line that says that uploads take long, as they do on a busy machine.
inline std::size_t lines_of(const std::string& err) {
  return count_of(err, "\n") - count_of(err, "still uploading");
}

// A name that stands for the coverage metadata of some program.
inline const std::string kSomeCovmeta = "covmeta.0123456789abcdef0123456789abcdef";

}  // namespace integcov::test
