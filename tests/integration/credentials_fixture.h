// A bucket behind TLS, by a certificate of the test's own CA, with the token servers that the
// scripted server plays; and a key for a service account.
#pragma once

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "integration/parts.h"

namespace integcov::test {

using Env = std::map<std::string, std::string>;

// An RSA key whose public half is in a file for the server.
class Key {
 public:
  Key() {
    EVP_PKEY* key = EVP_RSA_gen(2048);
    write_file(dir_ / "public.pem", pem([&](BIO* bio) { PEM_write_bio_PUBKEY(bio, key); }));
    private_ = pem([&](BIO* bio) {
      PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
    });
    EVP_PKEY_free(key);
  }
  [[nodiscard]] std::string public_file() const { return (dir_ / "public.pem").string(); }
  // A line from the middle of the key's text.
  [[nodiscard]] std::string secret() const { return private_.substr(private_.size() / 2, 40); }
  // The members of a credentials file.
  [[nodiscard]] std::string members(const std::string& token_uri) const {
    std::string escaped;
    for (const char c : private_) escaped += c == '\n' ? std::string("\\n") : std::string(1, c);
    return R"("type":"service_account","client_email":"a@b.example","private_key_id":"k1",)"
           R"("private_key":")" +
           escaped + R"(","token_uri":")" + token_uri + '"';
  }

 private:
  static std::string pem(const std::function<void(BIO*)>& write) {
    const std::unique_ptr<BIO, decltype(&BIO_free_all)> bio(BIO_new(BIO_s_mem()), &BIO_free_all);
    write(bio.get());
    char* text = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &text);
    return {text, static_cast<std::size_t>(size)};
  }

  TempDir dir_;
  std::string private_;
};

struct CredentialsTest : testing::Test {
  void start(std::vector<std::string> flags = {}) {
    flags.insert(flags.end(), {"-tls", "-ca-out", (dir / "ca.pem").string(), "-token", "TOKEN"});
    store = std::make_unique<ScriptedGcs>(flags);
    env = {{"INTEGCOV_STORAGE", "gs://bucket/f"}, {"INTEGCOV_GCS_ENDPOINT", store->secure_url()},
           {"INTEGCOV_UPLOAD_TIMEOUT", "20s"},    {"SSL_CERT_FILE", (dir / "ca.pem").string()},
           {"HOME", (dir / "home").string()},     {"GOCOVERDIR", (dir / "cov").string()}};
  }
  void use_file(const std::string& json) {
    write_file(dir / "credentials.json", json);
    env["GOOGLE_APPLICATION_CREDENTIALS"] = (dir / "credentials.json").string();
  }
  void use_metadata_server() { env["GCE_METADATA_HOST"] = store->address(); }

  // `more` begins with a comma or is empty.
  [[nodiscard]] std::string external(const std::string& source,
                                     const std::string& more = "") const {
    return R"({"type":"external_account","audience":"//iam.googleapis.com/pool",)"
           R"("subject_token_type":"urn:ietf:params:oauth:token-type:jwt","token_url":")" +
           store->url() + R"(/v1/token","credential_source":)" + source + more + '}';
  }
  [[nodiscard]] std::string impersonation_url() const {
    return R"("service_account_impersonation_url":")" + store->url() +
           R"(/v1/projects/-/serviceAccounts/t@p.example:generateAccessToken")";
  }
  [[nodiscard]] std::string user() const {
    return R"({"type":"authorized_user","client_id":"id","client_secret":"CLIENT-SECRET",)"
           R"("refresh_token":"REFRESH-SECRET","token_uri":")" +
           store->url() + "/token\"}";
  }

  Ended run_hello() {
    return run({go_integcov(), "--log-level=debug", program("hello")}, {.env = env});
  }
  void expect_no_secret(const std::string& log, const std::vector<std::string>& secrets) const {
    for (const std::string& secret : secrets) EXPECT_EQ(log.find(secret), std::string::npos) << log;
    for (const char* never : {"TOKEN", "Bearer", "upload_id", "eyJ"})
      EXPECT_EQ(log.find(never), std::string::npos) << log;
  }
  // Runs the program; both files arrive and no secret is in the debug log.
  void expect_uploads(const std::vector<std::string>& secrets = {}) {
    const Ended ended = run_hello();
    EXPECT_EQ(ended.code, 0);
    EXPECT_NE(ended.err.find("uploaded 2 files"), std::string::npos) << ended.err;
    expect_no_secret(ended.err, secrets);
    const TempDir copy;
    download(store->objects(), "f/", copy / "f");
    EXPECT_EQ(read_tree(copy / "f"), read_tree(dir / "cov"));
  }
  // Runs the program, which is left alone; nothing arrives.
  Ended expect_refusal(const std::string& why, const std::string& timeout = "2s") {
    env["INTEGCOV_UPLOAD_TIMEOUT"] = timeout;
    const Ended ended =
        run({go_integcov(), "--log-level=debug", program("hello"), "3"}, {.env = env});
    EXPECT_EQ(ended.code, 3);
    EXPECT_NE(ended.err.find(why), std::string::npos) << ended.err;
    EXPECT_EQ(store->objects().size(), 0U);
    return ended;
  }
  // The same, and no time goes by with retries.
  Ended expect_permanent(const std::string& why) {
    Ended ended = expect_refusal(why, "60s");
    EXPECT_LT(ended.took, std::chrono::seconds(30)) << ended.err;
    return ended;
  }
  // The program isn't even started.
  void expect_error(const std::string& why) {
    const Ended ended = run_hello();
    EXPECT_EQ(ended.code, 125);
    EXPECT_TRUE(ended.err.starts_with("go-integcov: error: ")) << ended.err;
    EXPECT_EQ(std::ranges::count(ended.err, '\n'), 1) << ended.err;
    EXPECT_NE(ended.err.find(why), std::string::npos) << ended.err;
  }

  TempDir dir;
  std::unique_ptr<ScriptedGcs> store;
  Env env;
};

}  // namespace integcov::test
