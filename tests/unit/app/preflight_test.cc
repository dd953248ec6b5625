#include "app/preflight.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/small_file.h"
#include "unit/watch/temporary_folder.h"

namespace integcov::app {
namespace {

namespace fs = std::filesystem;
using Entries = std::vector<std::string>;
using watch::TemporaryFolder;

constexpr const char* kUser =
    R"({"type":"authorized_user","client_id":"i","client_secret":"s","refresh_token":"r"})";

class PreflightTest : public testing::Test {
 protected:
  [[nodiscard]] Result<Plan> plan(const std::string& storage, Entries entries = {}) const {
    config::Config config;
    config.coverdir = coverdir_;
    config.gcs.endpoint = endpoint_;
    auto location = config::parse_storage_url(storage);
    EXPECT_TRUE(location) << storage;
    config.storage = *std::move(location);
    std::vector<const char*> envp;
    for (const std::string& entry : entries) envp.push_back(entry.c_str());
    envp.push_back(nullptr);
    return prepare(config, config::Environment(envp.data()), cwd_);
  }
  // The sentence for the user; "" if all is well.
  [[nodiscard]] std::string error(const std::string& storage, Entries entries = {}) const {
    const auto result = plan(storage, std::move(entries));
    return result ? "" : result.message();
  }

  TemporaryFolder dir_;
  std::string coverdir_ = dir_.path("cov");
  std::string cwd_ = dir_.path();
  std::string endpoint_;
};

TEST_F(PreflightTest, FoldersBecomeAbsolute) {
  coverdir_ = "a/../cov/./";
  const auto result = plan("");
  ASSERT_TRUE(result);
  EXPECT_EQ(result->config.coverdir, dir_.path("cov"));
  EXPECT_TRUE(std::holds_alternative<std::monostate>(result->access));
  EXPECT_FALSE(result->careless);
  EXPECT_FALSE(fs::exists(dir_.path("cov")));  // nothing is made yet
}

TEST_F(PreflightTest, ARelativeFolderNeedsAWorkingDirectory) {
  cwd_ = "";
  EXPECT_EQ(error(""), "");
  coverdir_ = "cov";
  EXPECT_EQ(error(""),
            "GOCOVERDIR=\"cov\" is relative, but the working directory is gone; expected an "
            "absolute path");
}

TEST_F(PreflightTest, GocoverdirMustBeAFolder) {
  dir_.file("cov");
  EXPECT_EQ(error(""), "GOCOVERDIR=\"" + coverdir_ +
                           "\" is not a folder; expected the folder that the program writes its "
                           "coverage to");
}

TEST_F(PreflightTest, StorageAndGocoverdirMustNotLieInOneAnother) {
  const auto sentence = [&](const std::string& storage) {
    return "INTEGCOV_STORAGE=\"" + storage + "\" and GOCOVERDIR=\"" + coverdir_ +
           "\" lie one in the other; expected two separate folders";
  };
  for (const char* name : {"cov", "cov/below", ""}) {
    const std::string storage = "file://" + dir_.path(name);
    EXPECT_EQ(error(storage), sentence(storage));
  }
  EXPECT_EQ(error("file://" + dir_.path("covers")), "");
  EXPECT_EQ(error("file://" + dir_.path("storage")), "");
}

TEST_F(PreflightTest, AlsoNotThroughASymbolicLink) {
  dir_.folder("cov/deep");
  fs::create_directory_symlink(dir_.path("cov/deep"), dir_.path("link"));
  EXPECT_NE(error("file://" + dir_.path("link")), "");
  EXPECT_NE(error("file://" + dir_.path("link/not/there/yet")), "");
  coverdir_ = dir_.path("link/cov");
  EXPECT_NE(error("file://" + dir_.path("cov")), "");
}

TEST_F(PreflightTest, ACarelessFolderIsMarked) {
  coverdir_ = dir_.path();
  const auto working = plan("");
  ASSERT_TRUE(working);
  EXPECT_TRUE(working->careless);
  cwd_ = "/";
  const auto none = plan("");
  ASSERT_TRUE(none);
  EXPECT_FALSE(none->careless);
  const auto home = plan("", {"HOME=" + dir_.path()});
  ASSERT_TRUE(home);
  EXPECT_TRUE(home->careless);
}

TEST_F(PreflightTest, WithoutHomeItIsTheOneInPasswd) {
  const auto passwd = auth::read_small_file("/etc/passwd");
  const std::string home = passwd ? home_in_passwd(*passwd, geteuid()) : "";
  if (!fs::is_directory(home)) GTEST_SKIP() << "the user has none";
  coverdir_ = home;
  cwd_ = "/nowhere";
  for (const Entries& entries : {Entries{}, Entries{"HOME="}}) {
    const auto result = plan("", entries);
    ASSERT_TRUE(result);
    EXPECT_TRUE(result->careless);
  }
}

TEST(HomeInPasswd, IsTheSixthFieldOfTheUsersLine) {
  const std::string text =
      "# users\n"
      "root:x:0:0:root:/root:/bin/sh\n"
      "+::::::\n"
      "odd:x:12x:0::/odd:/bin/sh\n"
      "short:x:12\n"
      "\n"
      "app:x:1200:12::/home/app\n"
      "again:x:1200:12::/home/again:/bin/sh\n"
      "last:x:4294967294:1:a b,c:/home/last:/bin/false";
  EXPECT_EQ(home_in_passwd(text, 0), "/root");
  EXPECT_EQ(home_in_passwd(text, 1200), "/home/app") << "the first line with the number counts";
  EXPECT_EQ(home_in_passwd(text, 4294967294), "/home/last");
  EXPECT_EQ(home_in_passwd(text, 12), "") << "the line ends before the home folder";
  EXPECT_EQ(home_in_passwd(text, 1), "");
  EXPECT_EQ(home_in_passwd("", 0), "");
}

TEST_F(PreflightTest, CredentialsAreLookedForInGooglesOrder) {
  dir_.file("user.json", kUser);
  dir_.folder("gcloud");
  dir_.file("gcloud/application_default_credentials.json", kUser);
  dir_.folder("home/.config/gcloud");
  const auto kind = [&](const Entries& entries) -> std::string {
    const auto result = plan("gs://bucket", entries);
    if (!result) return result.message();
    if (const auto* at = std::get_if<Emulator>(&result->access)) return "emulator " + at->base_url;
    if (const auto* at = std::get_if<MetadataServerAt>(&result->access))
      return "server " + at->host;
    return std::holds_alternative<auth::Credentials>(result->access) ? "file" : "none";
  };
  Entries entries;
  EXPECT_EQ(kind(entries), "server 169.254.169.254");
  entries.emplace_back("GCE_METADATA_HOST=metadata:80");
  EXPECT_EQ(kind(entries), "server metadata:80");
  entries.push_back("HOME=" + dir_.path("home"));
  EXPECT_EQ(kind(entries), "server metadata:80");
  dir_.file("home/.config/gcloud/application_default_credentials.json", kUser);
  EXPECT_EQ(kind(entries), "file");
  dir_.file("home/.config/gcloud/application_default_credentials.json", "{}");
  EXPECT_NE(kind(entries).find("the credentials file " + dir_.path("home")), std::string::npos);
  entries.emplace_back("CLOUDSDK_CONFIG=gcloud");  // instead of the one in HOME
  EXPECT_EQ(kind(entries), "file");
  entries.emplace_back("GOOGLE_APPLICATION_CREDENTIALS=gone.json");
  EXPECT_NE(kind(entries).find("gone.json"), std::string::npos);
  entries.back() = "GOOGLE_APPLICATION_CREDENTIALS=user.json";
  EXPECT_EQ(kind(entries), "file");
  entries.emplace_back("STORAGE_EMULATOR_HOST=localhost:9000/");
  EXPECT_EQ(kind(entries), "emulator http://localhost:9000");
}

TEST_F(PreflightTest, AFolderNeedsNoCredentials) {
  const auto result = plan("file://" + dir_.path("out"),
                           {"GOOGLE_APPLICATION_CREDENTIALS=gone", "STORAGE_EMULATOR_HOST=?"});
  ASSERT_TRUE(result);
  EXPECT_TRUE(std::holds_alternative<std::monostate>(result->access));
}

TEST_F(PreflightTest, SaysWhatIsWrongWithACredentialsFile) {
  const auto sentence = [&](const std::string& file) {
    return error("gs://bucket", {"GOOGLE_APPLICATION_CREDENTIALS=" + file});
  };
  const std::string expected = "; expected a credentials file (JSON) of Google Cloud";
  EXPECT_EQ(sentence("gone"),
            "GOOGLE_APPLICATION_CREDENTIALS=\"gone\" cannot be read: No such file or directory" +
                expected);
  dir_.folder("folder");
  EXPECT_EQ(sentence("folder"),
            "GOOGLE_APPLICATION_CREDENTIALS=\"folder\" cannot be read: Is a directory" + expected);
  dir_.file("large", std::string((1 << 20) + 1, ' '));
  EXPECT_EQ(sentence("large"),
            "GOOGLE_APPLICATION_CREDENTIALS=\"large\" cannot be read: the file is larger than 1 "
            "MiB" +
                expected);
  dir_.file("text", "hello");
  EXPECT_TRUE(sentence("text").starts_with("GOOGLE_APPLICATION_CREDENTIALS=\"text\": "));
  ASSERT_EQ(mkfifo(dir_.path("fifo").c_str(), 0600), 0);
  EXPECT_NE(sentence("fifo"), "");  // and it doesn't block
}

TEST_F(PreflightTest, TheCaFileIsTheUsersOrTheSystems) {
  const auto result = plan("gs://bucket", {"SSL_CERT_FILE=ca.pem"});
  ASSERT_TRUE(result);
  EXPECT_EQ(result->ca_file, dir_.path("ca.pem"));
  const auto standard = plan("gs://bucket");
  ASSERT_TRUE(standard);
  EXPECT_TRUE(standard->ca_file.empty() || fs::exists(standard->ca_file)) << standard->ca_file;
}

TEST_F(PreflightTest, AnEmulatorTakesTheEndpointsPlaceAndSaysSo) {
  endpoint_ = "https://storage.example";
  const auto emulated = plan("gs://bucket", {"STORAGE_EMULATOR_HOST=localhost:1"});
  ASSERT_TRUE(emulated);
  EXPECT_EQ(emulated->warnings,
            Entries{"STORAGE_EMULATOR_HOST is set: INTEGCOV_GCS_ENDPOINT is ignored"});
  const auto real = plan("gs://bucket");
  ASSERT_TRUE(real);
  EXPECT_TRUE(real->warnings.empty());
}

TEST(ChildEnvironment, ChangesGocoverdirWhereItIsAndNothingElse) {
  const std::array<const char*, 6> envp{"A=1", "GOCOVERDIR=x", "B=", "A=2", "odd", nullptr};
  EXPECT_EQ(child_environment(envp.data(), "/cov"),
            (Entries{"A=1", "GOCOVERDIR=/cov", "B=", "A=2", "odd"}));
}

TEST(ChildEnvironment, AddsItAtTheEndAndRemovesSecondOnes) {
  const std::array<const char*, 2> without{"GOCOVERDIRS=1", nullptr};
  EXPECT_EQ(child_environment(without.data(), "/cov"),
            (Entries{"GOCOVERDIRS=1", "GOCOVERDIR=/cov"}));
  const std::array<const char*, 4> twice{"GOCOVERDIR=", "Z=1", "GOCOVERDIR=b", nullptr};
  EXPECT_EQ(child_environment(twice.data(), "/cov"), (Entries{"GOCOVERDIR=/cov", "Z=1"}));
  const std::array<const char*, 1> empty{nullptr};
  EXPECT_EQ(child_environment(empty.data(), "/cov"), Entries{"GOCOVERDIR=/cov"});
}

}  // namespace
}  // namespace integcov::app
