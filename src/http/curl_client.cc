#include "http/curl_client.h"

#include <utility>

#include "http/curl_multi.h"
#include "http/curl_transfer.h"

namespace integcov::http {

class CurlClient::Impl {
 public:
  Impl(event::Loop& loop, CurlOptions options)
      : loop_(loop),
        options_(std::move(options)),
        multi_(loop, options_.max_connections_per_host,
               [](CURL* easy, CURLcode code) { CurlTransfer::of(easy)->finish(code); }) {}

  std::unique_ptr<Exchange> start(Request request, Done done) {
    return std::make_unique<CurlTransfer>(loop_, multi_, options_, std::move(request),
                                          std::move(done));
  }
  [[nodiscard]] bool keeps_windows() const { return multi_.keeps_windows(); }

 private:
  event::Loop& loop_;
  const CurlOptions options_;
  CurlMulti multi_;
};

CurlClient::CurlClient(event::Loop& loop, CurlOptions options)
    : impl_(std::make_unique<Impl>(loop, std::move(options))) {}

CurlClient::~CurlClient() = default;

std::unique_ptr<Exchange> CurlClient::start(Request request, Done done) {
  return impl_->start(std::move(request), std::move(done));
}

bool CurlClient::keeps_windows() const { return impl_->keeps_windows(); }

}  // namespace integcov::http
