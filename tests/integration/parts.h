// The real parts: our binary, Go programs built with -cover, Go's own covdata, and object stores.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "integration/process.h"

namespace integcov::test {

std::string go_integcov();
// mode: "set", "count" or "atomic".
std::string program(const std::string& name, const std::string& mode = "atomic");

// What `go tool covdata VERB -i=FOLDER` prints; fails the test if it fails.
std::string covdata(const std::string& verb, const std::filesystem::path& folder);
// `go tool covdata textfmt`'s profile.
std::string profile(const std::filesystem::path& folder);

struct HttpAnswer {
  long status = 0;
  std::string body;
};
HttpAnswer http(const std::string& method, const std::string& url, const std::string& body = "",
                const std::string& bearer_token = "");

// Google Cloud Storage as the tests see it, whoever plays it.
class ObjectStore {
 public:
  virtual ~ObjectStore() = default;

  [[nodiscard]] const std::string& url() const { return url_; }  // http://127.0.0.1:PORT
  // Names of all objects in the bucket -> content.
  [[nodiscard]] std::map<std::string, std::string> objects(
      Records records = Records::left_out) const;
  // Custom metadata of one object.
  [[nodiscard]] std::map<std::string, std::string> metadata(const std::string& name) const;

 protected:
  std::string url_;
  std::string token_;  // what the tests' own requests carry
  std::unique_ptr<Process> process_;
};

// github.com/fsouza/fake-gcs-server with one bucket, "bucket".
class FakeGcsServer : public ObjectStore {
 public:
  FakeGcsServer();
};

// tests/servers/gcs: answers as the real service does, and as scripted. Its bucket is "bucket".
class ScriptedGcs : public ObjectStore {
 public:
  explicit ScriptedGcs(const std::vector<std::string>& flags = {});

  [[nodiscard]] const std::string& address() const { return address_; }  // host:port, http
  // With -tls: the same server over https.
  [[nodiscard]] const std::string& secure_url() const { return secure_url_; }
  // Adds rules, a JSON array (tests/servers/gcs/README.md).
  void script(const std::string& rules) const;
  // All goes well from now on.
  void heal() const;
  // Size of each object, whatever rights there are.
  [[nodiscard]] std::map<std::string, std::string> sizes(Records records = Records::left_out) const;

  struct Call {
    std::string method;
    std::string path;
    std::string query;
    std::int64_t status = 0;
    std::int64_t ms = 0;  // since the server's start
    std::int64_t connection = 0;
    bool expects = false;  // it had a header Expect
  };
  [[nodiscard]] std::vector<Call> calls(Records records = Records::left_out) const;
  // How many requests of that method have the text in their path and query.
  [[nodiscard]] std::size_t count(const std::string& method, const std::string& text) const;
  // A header (lower-case name) of the last such request; empty if it had none.
  [[nodiscard]] std::string header(const std::string& method, const std::string& text,
                                   const std::string& name) const;
  // Blocks until that many such requests have come.
  void await(const std::string& match, int times, bool done = false) const;

 private:
  std::string address_;
  std::string secure_url_;
};

// Objects below the prefix, with it taken off, written as `gcloud storage cp` would.
void download(const std::map<std::string, std::string>& objects, const std::string& prefix,
              const std::filesystem::path& folder);

}  // namespace integcov::test
