#include "app/storage_access.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <iterator>

#include "event/timer.h"
#include "support/loopback_server.h"
#include "unit/watch/temporary_folder.h"

namespace integcov::app {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using watch::TemporaryFolder;

Plan plan_for(const std::string& storage) {
  Plan plan;
  plan.config.storage = config::parse_storage_url(storage).value();
  return plan;
}

// Uploads the file and returns "stored" or the reason why not.
std::string upload(event::Loop& loop, StorageAccess& access, const TemporaryFolder& dir,
                   const std::string& name) {
  struct stat info{};
  EXPECT_EQ(stat(dir.path(name).c_str(), &info), 0);
  std::string result = "(nothing came)";
  const auto attempt = access.backend().upload(
      {.id = 1,
       .file = {name, static_cast<std::uint64_t>(info.st_size), 0},
       .content = UniqueFd(open(dir.path(name).c_str(), O_RDONLY | O_CLOEXEC))},
      [&](upload::Outcome outcome) {
        const auto* failed = std::get_if<upload::Failed>(&outcome);
        result = failed == nullptr ? "stored" : failed->reason;
        loop.stop();
      });
  event::Timer bound(loop, [&] { loop.stop(); });
  bound.arm(20s);
  loop.run();
  return result;
}

TEST(StorageAccess, AFolderIsWrittenTo) {
  const TemporaryFolder dir;
  dir.file("file", "content");
  event::Loop loop;
  const Plan plan = plan_for("file://" + dir.path("out/deep"));
  StorageAccess access(loop, plan, {});
  EXPECT_EQ(upload(loop, access, dir, "file"), "stored");
  std::ifstream copy(dir.path("out/deep/file"));
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(copy), {}), "content");
}

TEST(StorageAccess, EveryKindOfCredentialsGivesABucket) {
  auth::ServiceAccountKey key;
  key.client_email = "a@b";
  key.token_uri = std::string(auth::kGoogleTokenUri);
  auth::AuthorizedUser user;
  user.token_uri = std::string(auth::kGoogleTokenUri);
  for (const GcsAccess& gcs :
       {GcsAccess(Emulator{"http://127.0.0.1:1"}), GcsAccess(MetadataServerAt{"127.0.0.1:1"}),
        GcsAccess(auth::Credentials{.account = key}),
        GcsAccess(auth::Credentials{.account = user})}) {
    event::Loop loop;
    Plan plan = plan_for("gs://bucket/folder");
    plan.access = gcs;
    const StorageAccess access(loop, plan, {});
  }
}

TEST(StorageAccess, AnEmulatorGetsTheObjectWithItsMetadataAndNoToken) {
  const TemporaryFolder dir;
  dir.file("file", "content");
  event::Loop loop;
  test::Received got;
  test::LoopbackServer server(loop, [&](const test::Received& request) {
    got = request;
    return test::answer(403, "no");
  });
  Plan plan = plan_for("gs://bucket/folder");
  plan.access = Emulator{"http://" + server.endpoint()};
  plan.config.gcs.user_project = "payer";
  StorageAccess access(loop, plan, {{"integcov-run", "42"}});
  EXPECT_NE(upload(loop, access, dir, "file").find("403"), std::string::npos);
  EXPECT_NE(got.target.find("/b/bucket/o"), std::string::npos) << got.target;
  EXPECT_NE(got.target.find("userProject=payer"), std::string::npos) << got.target;
  EXPECT_NE(got.body.find("folder/file"), std::string::npos) << got.body;
  EXPECT_NE(got.body.find(R"("integcov-run":"42")"), std::string::npos) << got.body;
  EXPECT_NE(got.body.find("content"), std::string::npos);
  EXPECT_EQ(got.head.find("Authorization"), std::string::npos) << got.head;
}

class Proxy : public testing::Test {
 protected:
  Proxy() {
    unsetenv("no_proxy");
    unsetenv("NO_PROXY");
  }
  ~Proxy() override { unsetenv("http_proxy"); }

  // Whether an upload to the emulator at this address arrives at the proxy.
  static bool is_asked(const std::string& emulator) {
    const TemporaryFolder dir;
    dir.file("file", "content");
    event::Loop loop;
    const test::LoopbackServer proxy(loop,
                                     [](const test::Received&) { return test::answer(403, "no"); });
    setenv("http_proxy", proxy.url().c_str(), 1);
    Plan plan = plan_for("gs://bucket");
    plan.access = Emulator{emulator};
    StorageAccess access(loop, plan, {});
    EXPECT_NE(upload(loop, access, dir, "file"), "(nothing came)");
    return !proxy.received().empty();
  }
};

TEST_F(Proxy, IsNotAskedForAnEmulatorOnThisHost) {
  EXPECT_FALSE(is_asked("http://127.0.0.1:1"));
  EXPECT_FALSE(is_asked("http://localhost:1"));
  EXPECT_FALSE(is_asked("http://[::1]:1"));
  EXPECT_TRUE(is_asked("http://emulator.invalid:1"));
}

TEST(StorageAccess, AnEmulatorThatIsNotThereIsAFailureAndNoMore) {
  const TemporaryFolder dir;
  dir.file("file", "content");
  event::Loop loop;
  Plan plan = plan_for("gs://bucket/folder");
  plan.access = Emulator{"http://127.0.0.1:1"};
  StorageAccess access(loop, plan, {});
  const std::string result = upload(loop, access, dir, "file");
  EXPECT_NE(result, "stored");
  EXPECT_NE(result, "(nothing came)");
}

}  // namespace
}  // namespace integcov::app
