// One request as a libcurl easy handle.
#pragma once

#include <curl/curl.h>

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "event/timer.h"
#include "http/body_reader.h"
#include "http/client.h"
#include "http/curl_client.h"
#include "http/curl_error.h"
#include "http/curl_multi.h"

namespace integcov::http {

class CurlTransfer final : public Exchange {
 public:
  CurlTransfer(event::Loop& loop, CurlMulti& multi, const CurlOptions& options, Request request,
               Client::Done done);
  ~CurlTransfer() override;
  CurlTransfer(const CurlTransfer&) = delete;
  CurlTransfer& operator=(const CurlTransfer&) = delete;

  static CurlTransfer* of(CURL* easy);
  // Builds the reply and calls `done`, which may destroy this.
  void finish(CURLcode code);

 private:
  struct EasyCleanup {
    void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
  };
  struct ListCleanup {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  };
  // What has moved so far, in bytes; any change is progress.
  struct Progress {
    curl_off_t sent = 0;
    curl_off_t received = 0;
    long header = 0;
    int unsent = 0;  // in the kernel's socket buffer
    friend bool operator==(const Progress&, const Progress&) = default;
  };

  [[nodiscard]] std::optional<TransportError> begin(const CurlOptions& options);
  [[nodiscard]] bool set_up(const CurlOptions& options);
  [[nodiscard]] bool set_up_body();
  [[nodiscard]] bool set_up_headers();
  [[nodiscard]] Failure failure() const;
  [[nodiscard]] Progress progress() const;
  [[nodiscard]] Duration look_interval() const;
  void on_timer();
  void time_out(std::string message);
  void deliver(Reply reply);

  static curl_socket_t on_open(void* self, curlsocktype, curl_sockaddr* address) noexcept;
  static std::size_t on_read(char* to, std::size_t size, std::size_t n, void* self) noexcept;
  static int on_seek(void* self, curl_off_t offset, int origin) noexcept;
  static std::size_t on_body(char* from, std::size_t size, std::size_t n, void* self) noexcept;
  static std::size_t on_header(char* from, std::size_t size, std::size_t n, void* self) noexcept;
  static int on_connected(void* self, char*, char*, int, int) noexcept;

  CurlMulti& multi_;
  const Request request_;
  Client::Done done_;
  std::string endpoint_;
  std::string address_;  // the last one tried
  BodyReader reader_;
  Response response_;
  std::size_t header_bytes_ = 0;
  std::optional<TransportError> own_error_;  // why a callback of ours ended the transfer
  bool connected_ = false;
  Progress last_progress_;
  int idle_looks_ = 0;    // in a row
  int answer_looks_ = 0;  // since the whole request was sent
  event::Timer timer_;    // a failed start, then the checks for stall and answer
  std::unique_ptr<curl_slist, ListCleanup> headers_;
  std::array<char, CURL_ERROR_SIZE> detail_{};
  std::unique_ptr<CURL, EasyCleanup> easy_;
};

}  // namespace integcov::http
