// Tokens from everywhere, over TLS: the metadata server, the token's life, credentials files, and
// the way to the storage.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>

#include "integration/credentials_fixture.h"

namespace integcov::test {
namespace {

const std::string kMetadataToken = "/computeMetadata/v1/instance/service-accounts/default/token";
const std::string kSubject = "SUBJECT-eyJhbGciOiJSUzI1NiJ9";

// --- the metadata server ------------------------------------------------------------------------

using Metadata = CredentialsTest;

TEST_F(Metadata, GivesATokenForTheStorageScope) {
  start();
  use_metadata_server();
  expect_uploads();
  EXPECT_EQ(store->count("GET", kMetadataToken + "?scopes=https%3A%2F%2Fwww.googleapis.com%2F"),
            1U);
  EXPECT_EQ(store->count("GET", "universe"), 0U);
}

TEST_F(Metadata, IsNeverAskedThroughAProxy) {
  start();
  use_metadata_server();
  env["http_proxy"] = "http://127.0.0.1:1";
  env["ALL_PROXY"] = "http://127.0.0.1:1";
  env["HTTPS_PROXY"] = store->url();
  expect_uploads();
}

TEST_F(Metadata, MayBeSlowToStart) {
  start();
  use_metadata_server();
  store->script(R"([{"match":"GET /computeMetadata","times":2,"do":"status","status":503},
                    {"match":"GET /computeMetadata","times":2,"do":"reset-before-body"},
                    {"match":"GET /computeMetadata","times":1,"do":"status","status":429}])");
  expect_uploads();
  EXPECT_EQ(store->count("GET", kMetadataToken), 6U);
}

TEST_F(Metadata, MayRefuseConnectionsInAPodsFirstSeconds) {
  start();
  // A port of ours that nobody listens at: connections are refused until the server takes it.
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  ASSERT_EQ(bind(fd, generic, length), 0);
  ASSERT_EQ(getsockname(fd, generic, &length), 0);
  const std::string host = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));

  // The same server is the proxy to the storage, whose address is known before it is there.
  env["GCE_METADATA_HOST"] = host;
  env["HTTPS_PROXY"] = "http://" + host;
  env["INTEGCOV_GCS_ENDPOINT"] = "https://storage.example";
  env["INTEGCOV_UPLOAD_TIMEOUT"] = "60s";
  Process process({go_integcov(), "--log-level=debug", program("hello")}, {.env = env});
  EXPECT_TRUE(eventually([&] {
    return process.err().find("no metadata server at " + host) != std::string::npos;
  })) << process.err();
  close(fd);
  start({"-listen", host, "-tls-name", "storage.example"});
  const Ended ended = process.wait();
  EXPECT_NE(ended.err.find("Connection refused"), std::string::npos) << ended.err;
  EXPECT_NE(ended.err.find("uploaded 2 files"), std::string::npos) << ended.err;
  EXPECT_EQ(store->objects().size(), 2U);
}

TEST_F(Metadata, WithoutAServiceAccountIsPermanentAndSaysWhatToDo) {
  start();
  use_metadata_server();
  store->script(R"([{"match":"GET /computeMetadata","times":-1,"do":"status","status":404}])");
  expect_permanent("knows no service account (HTTP 404)");
}

TEST_F(Metadata, OfAnotherUniverseIsAskedForItFirst) {
  start({"-universe", "apis.example"});
  use_metadata_server();
  env["GOOGLE_CLOUD_UNIVERSE_DOMAIN"] = "apis.example";
  expect_uploads();
  EXPECT_EQ(store->count("GET", "/computeMetadata/v1/universe/universe-domain"), 1U);
}

TEST_F(Metadata, OfTheWrongUniverseIsRefused) {
  start();
  use_metadata_server();
  env["GOOGLE_CLOUD_UNIVERSE_DOMAIN"] = "apis.example";
  expect_permanent(
      "belongs to the universe googleapis.com, but GOOGLE_CLOUD_UNIVERSE_DOMAIN is apis.example");
  EXPECT_EQ(store->count("GET", kMetadataToken), 0U);
}

TEST_F(Metadata, TheAddressIsAHost) {
  start();
  env["GCE_METADATA_HOST"] = store->url();
  expect_error("GCE_METADATA_HOST=");
}

// --- the token ----------------------------------------------------------------------------------

using OneToken = CredentialsTest;

TEST_F(OneToken, ServesManyFiles) {
  start();
  use_metadata_server();
  for (int i = 0; i < 40; ++i) write_file(dir / ("cov/file" + std::to_string(i)), "x");
  EXPECT_EQ(run_hello().code, 0);
  EXPECT_EQ(store->objects().size(), 42U);
  EXPECT_EQ(store->count("GET", kMetadataToken), 1U);
}

TEST_F(OneToken, ThatIsRefusedIsRefreshedOnce) {
  start();
  use_metadata_server();
  store->script(R"([{"match":"POST /upload","times":1,"do":"status","status":401}])");
  expect_uploads();
  EXPECT_EQ(store->count("GET", kMetadataToken), 2U);
}

TEST_F(OneToken, ThatIsAlwaysRefusedIsGivenUp) {
  start();
  use_metadata_server();
  store->script(R"([{"match":"POST /upload","times":-1,"do":"status","status":401}])");
  const Ended ended = expect_permanent("HTTP 401");
  expect_no_secret(ended.err, {});
}

TEST_F(OneToken, IsNotInTheLogWhenAResumableUploadFails) {
  start();
  use_metadata_server();
  store->script(R"([{"match":"PUT /upload","times":-1,"do":"status","status":503}])");
  env["INTEGCOV_UPLOAD_TIMEOUT"] = "2s";
  const Ended ended =
      run({go_integcov(), "--log-level=debug", program("big"), "-mib", "9"}, {.env = env});
  EXPECT_NE(ended.err.find("not uploaded"), std::string::npos) << ended.err;
  EXPECT_GT(store->count("PUT", "upload_id="), 0U);
  expect_no_secret(ended.err, {});
}

// --- files --------------------------------------------------------------------------------------

using File = CredentialsTest;

TEST_F(File, OfAServiceAccount) {
  const Key key;
  start({"-public-key", key.public_file(), "-key-id", "k1"});
  use_file('{' + key.members(store->url() + "/token") + '}');
  expect_uploads({key.secret()});
  EXPECT_EQ(store->count("POST", "/token"), 1U);
}

TEST_F(File, OfAServiceAccountInAnotherUniverse) {
  const Key key;
  start({"-public-key", key.public_file(), "-universe", "apis.example", "-tls-name",
         "storage.apis.example"});
  use_file('{' + key.members("https://oauth2.googleapis.com/token") +
           R"(,"universe_domain":"apis.example"})");
  env["GOOGLE_CLOUD_UNIVERSE_DOMAIN"] = "apis.example";
  env.erase("INTEGCOV_GCS_ENDPOINT");
  env["HTTPS_PROXY"] = store->url();
  expect_uploads({key.secret()});
  EXPECT_GE(store->count("CONNECT", "storage.apis.example:443"), 1U);
  EXPECT_EQ(store->count("POST", "/token"), 0U);
}

TEST_F(File, OfAnotherUniverseThanTheRunIsAnError) {
  const Key key;
  start();
  use_file('{' + key.members("https://h/token") + R"(,"universe_domain":"apis.example"})");
  expect_error("expected GOOGLE_CLOUD_UNIVERSE_DOMAIN=apis.example");
}

TEST_F(File, OfAPerson) {
  start({"-refresh-token", "REFRESH-SECRET"});
  use_file(user());
  expect_uploads({"REFRESH-SECRET", "CLIENT-SECRET"});
}

TEST_F(File, OfAPersonWhoseLoginHasExpired) {
  start();  // the server wants another refresh token
  use_file(user());
  const Ended ended = expect_permanent("invalid_grant (Token has been expired or revoked.)");
  expect_no_secret(ended.err, {"REFRESH-SECRET", "CLIENT-SECRET"});
}

TEST_F(File, OfAnExternalAccountWithATokenFile) {
  start({"-subject-token", kSubject, "-sts-client", "id:CLIENT-SECRET"});
  write_file(dir / "work/var/token", kSubject + "\n");
  use_file(
      external(R"({"file":"var/token"})", R"(,"client_id":"id","client_secret":"CLIENT-SECRET")"));
  const Ended ended = run({go_integcov(), "--log-level=debug", program("hello")},
                          {.env = env, .cwd = dir / "work"});
  EXPECT_NE(ended.err.find("uploaded 2 files"), std::string::npos) << ended.err;
  expect_no_secret(ended.err, {kSubject, "CLIENT-SECRET"});
  EXPECT_EQ(store->count("POST", "/v1/token"), 1U);
}

TEST_F(File, OfAnExternalAccountIsReadAgainForEachToken) {
  start({"-subject-token", kSubject});
  write_file(dir / "token", "an old one");
  use_file(external(R"({"file":")" + (dir / "token").string() + "\"}"));
  env["INTEGCOV_UPLOAD_TIMEOUT"] = "60s";
  store->script(R"([{"match":"POST /v1/token","times":-1,"do":"status","status":503}])");
  Process process({go_integcov(), "--log-level=debug", program("hello")}, {.env = env});
  store->await("POST /v1/token", 1);
  write_file(dir / "new", kSubject);
  std::filesystem::rename(dir / "new", dir / "token");
  store->heal();
  const Ended ended = process.wait();
  EXPECT_NE(ended.err.find("uploaded 2 files"), std::string::npos) << ended.err;
  expect_no_secret(ended.err, {kSubject, "an old one"});
}

TEST_F(File, OfAnExternalAccountWhoseTokenFileIsMissing) {
  start({"-subject-token", kSubject});
  use_file(external(R"({"file":"/nowhere/token"})"));
  expect_refusal("the token file /nowhere/token cannot be read: No such file or directory");
}

TEST_F(File, OfAnExternalAccountWithATokenUrl) {
  start({"-subject-token", kSubject});
  env["http_proxy"] = "http://127.0.0.1:1";  // plain http is a server nearby: no proxy
  use_file(external(R"({"url":")" + store->url() +
                    R"(/subject-token?format=json","headers":{"X-Subject":"please"},)"
                    R"("format":{"type":"json","subject_token_field_name":"id"}})"));
  expect_uploads({kSubject});
  EXPECT_EQ(store->count("GET", "/subject-token"), 1U);
}

TEST_F(File, OfAnExternalAccountThatImpersonates) {
  start({"-subject-token", kSubject});
  write_file(dir / "token", kSubject);
  use_file(external(R"({"file":")" + (dir / "token").string() + "\"}", ',' + impersonation_url()));
  expect_uploads({kSubject});
  EXPECT_EQ(store->count("POST", "/v1/token"), 1U);
  EXPECT_EQ(store->count("POST", ":generateAccessToken"), 1U);
}

TEST_F(File, OfAnExternalAccountWhoseTokenIsRefused) {
  start({"-subject-token", "another"});
  write_file(dir / "token", kSubject);
  use_file(external(R"({"file":")" + (dir / "token").string() + "\"}"));
  const Ended ended = expect_permanent("answered HTTP 400: invalid_grant");
  expect_no_secret(ended.err, {kSubject});  // which the server repeats
}

TEST_F(File, OfAnImpersonatedAccountWithAPersonBehindIt) {
  start({"-refresh-token", "REFRESH-SECRET"});
  use_file(R"({"type":"impersonated_service_account",)" + impersonation_url() +
           R"(,"delegates":["d@p.example"],"source_credentials":)" + user() + '}');
  expect_uploads({"REFRESH-SECRET", "CLIENT-SECRET"});
  EXPECT_EQ(store->count("POST", "/v1/projects/-/serviceAccounts/t@p.example:generate"), 1U);
}

TEST_F(File, OfAnImpersonatedAccountWithAServiceAccountBehindIt) {
  const Key key;
  start({"-public-key", key.public_file()});
  use_file(R"({"type":"impersonated_service_account",)" + impersonation_url() +
           R"(,"source_credentials":{)" + key.members(store->url() + "/token") + "}}");
  expect_uploads({key.secret()});
}

TEST_F(File, OfAnAccountThatMayNotImpersonate) {
  start({"-refresh-token", "REFRESH-SECRET"});
  store->script(R"([{"match":"POST /v1/projects","times":-1,"do":"status","status":403}])");
  use_file(R"({"type":"impersonated_service_account",)" + impersonation_url() +
           R"(,"source_credentials":)" + user() + '}');
  expect_permanent("the impersonation server " + store->address() +
                   " answered HTTP 403: Scripted: Forbidden");
}

TEST_F(File, WithASourceThatIsNotSupportedIsAnError) {
  start();
  for (const auto& [source, name] : Env{{R"({"environment_id":"aws1"})", "AWS"},
                                        {R"({"executable":{"command":"x"}})", "an executable"},
                                        {R"({"certificate":{}})", "a certificate"}}) {
    use_file(external(source));
    expect_error("\"credential_source\" is " + name + ", which is not supported; a file or a url");
  }
}

TEST_F(File, MayNameTheProjectThatPaysAndTheEnvironmentWins) {
  start({"-refresh-token", "REFRESH-SECRET"});
  std::string file = user();
  use_file(file.insert(1, R"("quota_project_id":"from-file",)"));
  expect_uploads();
  EXPECT_EQ(store->header("POST", "/upload", "x-goog-user-project"), "from-file");
  env["GOOGLE_CLOUD_QUOTA_PROJECT"] = "from-env";
  env["GOCOVERDIR"] = (dir / "cov2").string();
  run_hello();
  EXPECT_EQ(store->header("POST", "/upload", "x-goog-user-project"), "from-env");
}

// --- the way there ------------------------------------------------------------------------------

using Way = CredentialsTest;

TEST_F(Way, LeadsThroughTheProxy) {
  start();
  use_metadata_server();
  env["HTTPS_PROXY"] = store->url();
  expect_uploads();
  EXPECT_GE(store->count("CONNECT", "127.0.0.1:"), 1U);
}

TEST_F(Way, LeadsPastTheProxyWhereNoProxySaysSo) {
  start();
  use_metadata_server();
  env["HTTPS_PROXY"] = "http://127.0.0.1:1";
  env["NO_PROXY"] = "elsewhere.example,127.0.0.1";
  expect_uploads();
}

TEST_F(Way, ThroughAProxyWithAPasswordThatIsNeverShown) {
  start();
  use_metadata_server();
  env["HTTPS_PROXY"] = "http://user:PROXY-SECRET@127.0.0.1:1";
  const Ended ended = expect_refusal("Connection refused");
  expect_no_secret(ended.err, {"PROXY-SECRET"});
}

TEST_F(Way, NeedsACertificateThatIsTrusted) {
  start();
  use_metadata_server();
  env.erase("SSL_CERT_FILE");
  expect_refusal("certificate");
}

TEST_F(Way, NeedsACertificateForTheHost) {
  start({"-tls-name", "other.example"});
  use_metadata_server();
  const Ended ended = expect_refusal("certificate");
  EXPECT_EQ(store->count("POST", "/upload"), 0U) << ended.err;
}

TEST_F(Way, NeedsTls12) {
  start({"-tls-1.1"});
  use_metadata_server();
  const Ended ended = expect_refusal("no TLS connection to");
  EXPECT_EQ(store->count("POST", "/upload"), 0U) << ended.err;
}

TEST_F(Way, WithAFileOfCertificatesThatIsMissing) {
  start();
  use_metadata_server();
  env["SSL_CERT_FILE"] = "/nowhere/ca.pem";
  expect_refusal("cannot use the file of trusted certificates");
}

}  // namespace
}  // namespace integcov::test
