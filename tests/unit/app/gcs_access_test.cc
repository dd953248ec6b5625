#include "app/gcs_access.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace integcov::app {
namespace {

const std::string kUser =
    R"("type":"authorized_user","client_id":"i","client_secret":"s","refresh_token":"r")";

struct GcsAccessTest : testing::Test {
  GcsAccessTest() {
    std::string name = testing::TempDir() + "gcs_access.XXXXXX";
    folder = mkdtemp(name.data());
  }
  ~GcsAccessTest() override { std::filesystem::remove_all(folder); }

  std::string write(const std::string& name, const std::string& text) const {
    const auto path = folder / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
    return path.string();
  }
  Result<GcsSetup> find(const std::vector<std::string>& variables) const {
    std::vector<const char*> envp;
    for (const auto& variable : variables) envp.push_back(variable.c_str());
    envp.push_back(nullptr);
    return find_gcs_access(config::Environment(envp.data()), folder.string());
  }
  std::string fault(const std::vector<std::string>& variables) const {
    const auto access = find(variables);
    return access.ok() ? "fine" : access.message();
  }

  std::filesystem::path folder;
};

TEST_F(GcsAccessTest, TheOrderIsEmulatorVariableWellKnownFileMetadataServer) {
  const std::string home = "HOME=" + folder.string();
  write(".config/gcloud/application_default_credentials.json",
        "{" + kUser + R"(,"quota_project_id":"gclouds"})");
  write("named.json", "{" + kUser + R"(,"quota_project_id":"named"})");

  EXPECT_TRUE(std::holds_alternative<MetadataServerAt>(find({})->access));
  EXPECT_EQ(find({home})->quota_project, "gclouds");
  EXPECT_EQ(find({home, "CLOUDSDK_CONFIG=elsewhere"})->quota_project, "");
  EXPECT_EQ(find({home, "GOOGLE_APPLICATION_CREDENTIALS=named.json"})->quota_project, "named");
  EXPECT_EQ(
      std::get<Emulator>(
          find({home, "GOOGLE_APPLICATION_CREDENTIALS=none", "STORAGE_EMULATOR_HOST=h:1"})->access)
          .base_url,
      "http://h:1");
}

TEST_F(GcsAccessTest, TheQuotaProjectOfTheEnvironmentWins) {
  const std::string file =
      "GOOGLE_APPLICATION_CREDENTIALS=" + write("c", "{" + kUser + R"(,"quota_project_id":"a"})");
  EXPECT_EQ(find({file})->quota_project, "a");
  EXPECT_EQ(find({file, "GOOGLE_CLOUD_QUOTA_PROJECT=b"})->quota_project, "b");
  EXPECT_EQ(find({"GOOGLE_CLOUD_QUOTA_PROJECT=b"})->quota_project, "b");  // metadata server
  EXPECT_EQ(find({"STORAGE_EMULATOR_HOST=h:1", "GOOGLE_CLOUD_QUOTA_PROJECT=b"})->quota_project, "");
  EXPECT_EQ(fault({"GOOGLE_CLOUD_QUOTA_PROJECT=a b"}),
            "GOOGLE_CLOUD_QUOTA_PROJECT=\"a b\" is not a project; expected an id such as "
            "my-project-123");
}

TEST_F(GcsAccessTest, CredentialsAndRequestsBelongToOneUniverse) {
  const std::string file = R"({"type":"external_account","audience":"a","subject_token_type":"t",)"
                           R"("credential_source":{"file":"t"},"universe_domain":"apis.example"})";
  const std::string setting = "GOOGLE_APPLICATION_CREDENTIALS=" + write("c", file);
  const std::string universe = "GOOGLE_CLOUD_UNIVERSE_DOMAIN=apis.example";
  EXPECT_EQ(find({})->universe, "googleapis.com");
  EXPECT_EQ(find({setting, universe})->universe, "apis.example");
  EXPECT_EQ(find({universe})->universe, "apis.example");
  EXPECT_NE(fault({setting}).find("is for the universe apis.example, but "
                                  "GOOGLE_CLOUD_UNIVERSE_DOMAIN is unset or another one "
                                  "(googleapis.com); expected " +
                                  universe),
            std::string::npos)
      << fault({setting});
  const std::string googles = "GOOGLE_APPLICATION_CREDENTIALS=" + write("g", "{" + kUser + "}");
  EXPECT_NE(fault({googles, universe}).find("is for the universe googleapis.com"),
            std::string::npos);
  EXPECT_EQ(fault({"GOOGLE_CLOUD_UNIVERSE_DOMAIN=https://x"}),
            "GOOGLE_CLOUD_UNIVERSE_DOMAIN=\"https://x\" is not a domain; expected one such as "
            "googleapis.com");
}

TEST_F(GcsAccessTest, TheTokenFileOfAnExternalAccountIsAbsolute) {
  const std::string external =
      R"({"type":"external_account","audience":"a","subject_token_type":"t",)"
      R"("credential_source":{"file":"var/token"}})";
  const auto access = find({"GOOGLE_APPLICATION_CREDENTIALS=" + write("c", external)});
  ASSERT_TRUE(access.ok()) << access.message();
  const auto& account =
      std::get<auth::ExternalAccount>(std::get<auth::Credentials>(access->access).account);
  EXPECT_EQ(account.subject.file, (folder / "var/token").string());

  const auto wrapped = find(
      {"GOOGLE_APPLICATION_CREDENTIALS=" +
       write("w", R"({"type":"impersonated_service_account","service_account_impersonation_url":)"
                  R"("https://h/x:generateAccessToken","source_credentials":)" +
                      external + "}")});
  ASSERT_TRUE(wrapped.ok()) << wrapped.message();
  const auto& inner = std::get<auth::ExternalAccount>(
      std::get<auth::ImpersonatedAccount>(std::get<auth::Credentials>(wrapped->access).account)
          .source);
  EXPECT_EQ(inner.subject.file, (folder / "var/token").string());
}

TEST_F(GcsAccessTest, TheMetadataServersAddressIsAHost) {
  EXPECT_EQ(std::get<MetadataServerAt>(find({})->access).host, "169.254.169.254");
  EXPECT_EQ(std::get<MetadataServerAt>(find({"GCE_METADATA_HOST=h:80"})->access).host, "h:80");
  for (const std::string bad : {"http://h", "h/", ":80", "a b", "u@h"})
    EXPECT_NE(fault({"GCE_METADATA_HOST=" + bad}).find("is not an address"), std::string::npos)
        << bad;
}

TEST_F(GcsAccessTest, EmulatorsAreHostsOrUrls) {
  EXPECT_EQ(*emulator_url("localhost:1"), "http://localhost:1");
  EXPECT_EQ(*emulator_url("https://h/base/"), "https://h/base");
  for (const char* bad : {"ftp://h", "http://", ":1", "h?x", "u@h"})
    EXPECT_FALSE(emulator_url(bad).ok()) << bad;
}

TEST(IsLoopback, LocalhostAndLoopbackAddressesOnly) {
  for (const char* url : {"http://localhost", "http://LocalHost:4443", "http://127.0.0.1:1/base",
                          "https://127.8.9.10", "http://[::1]", "http://[::1]:4443/base"})
    EXPECT_TRUE(is_loopback(url)) << url;
  for (const char* url :
       {"http://storage", "http://localhost.example:1", "http://127.0.0.1.example",
        "http://10.0.0.1", "http://1.127.0.0", "http://[::2]:1", "http://h/localhost", "http://["})
    EXPECT_FALSE(is_loopback(url)) << url;
}

}  // namespace
}  // namespace integcov::app
