// The real parts: our binary, Go programs built with -cover, Go's own covdata, and object stores.
#pragma once

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

struct HttpAnswer {
  long status = 0;
  std::string body;
};
HttpAnswer http(const std::string& method, const std::string& url, const std::string& body = "");

// A server that is told to end by closing its stdin or by SIGKILL.
class ObjectStore {
 public:
  virtual ~ObjectStore() = default;
  [[nodiscard]] virtual std::string url() const = 0;  // http://127.0.0.1:PORT

  void make_bucket(const std::string& name) const;
  // Names of all objects under the prefix -> content.
  [[nodiscard]] std::map<std::string, std::string> objects(const std::string& bucket) const;
  // The object's resource as JSON text.
  [[nodiscard]] std::string resource(const std::string& bucket, const std::string& name) const;
};

// github.com/fsouza/fake-gcs-server.
class FakeGcsServer : public ObjectStore {
 public:
  FakeGcsServer();
  [[nodiscard]] std::string url() const override { return url_; }

 private:
  std::unique_ptr<Process> process_;
  std::string url_;
};

// Writes name -> content below the folder, as a download of the bucket would.
void download(const std::map<std::string, std::string>& objects, const std::string& prefix,
              const std::filesystem::path& folder);

}  // namespace integcov::test
