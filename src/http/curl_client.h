// The HTTP client on libcurl and the event loop: HTTP/1.1 only, TLS 1.2 or newer with verification
// always on, redirects never followed, proxies from libcurl's usual environment variables.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "event/loop.h"
#include "http/client.h"

namespace integcov::http {

struct CurlOptions {
  std::string ca_file;  // PEM file of trusted certificates; empty: libcurl's built-in place
  std::string user_agent;
  std::size_t max_connections_per_host = 16;  // more requests than that wait for a free one
};

class CurlClient : public Client {
 public:
  // Initialises libcurl and OpenSSL. Order of destruction: exchanges, client, loop; the client must
  // not be destroyed from inside a `done`.
  CurlClient(event::Loop& loop, CurlOptions options);
  ~CurlClient() override;

  std::unique_ptr<Exchange> start(Request request, Done done) override;
  [[nodiscard]] bool keeps_windows() const override;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace integcov::http
