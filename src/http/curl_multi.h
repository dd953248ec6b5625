// libcurl's multi interface on the event loop (curl_multi_socket_action).
#pragma once

#include <curl/curl.h>

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "event/fd_watcher.h"
#include "event/timer.h"

namespace integcov::http {

class CurlMulti {
 public:
  // `finished` is called from the event loop, after the handle was removed; it may add and remove
  // others. The handles that were added must be removed before this is destroyed.
  CurlMulti(event::Loop& loop, std::size_t max_connections_per_host,
            std::function<void(CURL*, CURLcode)> finished);
  ~CurlMulti();
  CurlMulti(const CurlMulti&) = delete;
  CurlMulti& operator=(const CurlMulti&) = delete;

  // While `host` (with port) has as many transfers as it may, the new one waits here: libcurl would
  // have the wait count as connecting. False: libcurl has no memory left or couldn't be
  // initialised. Never calls `finished`.
  bool add(CURL* easy, const std::string& host);
  // Also for one that isn't there. Not from inside a callback of libcurl.
  void remove(CURL* easy);

  // The socket that libcurl waits on for this transfer, -1 if there is none.
  [[nodiscard]] int socket_of(CURL* easy) const;

  // A new connection is made.
  void connected(int fd);
  // Whether the last one keeps its congestion window over an idle time.
  [[nodiscard]] bool keeps_windows() const { return keeps_windows_; }

 private:
  struct Transfer {
    CURL* easy;
    std::string host;
  };
  struct Socket {
    Socket(event::Loop& loop, int fd, std::function<void(event::Readiness)> ready)
        : watcher(loop, fd, std::move(ready)) {}
    CURL* user = nullptr;
    event::FdWatcher watcher;
  };
  struct Cleanup {
    void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
  };

  static int on_socket(CURL* easy, curl_socket_t fd, int what, void* self, void*) noexcept;
  static int on_timer(CURLM*, long timeout_ms, void* self) noexcept;
  void act(curl_socket_t fd, int ready);
  void drain();
  void fail_all();
  [[nodiscard]] bool has_room(const std::string& host) const;
  void start_waiting();

  event::Loop& loop_;
  std::function<void(CURL*, CURLcode)> finished_;
  std::size_t max_per_host_;
  std::vector<Transfer> active_;
  std::vector<Transfer> waiting_;
  bool keeps_windows_ = false;
  std::map<curl_socket_t, Socket> sockets_;
  event::Timer timer_;
  std::unique_ptr<CURLM, Cleanup> multi_;  // last: its end still calls on_socket and on_timer
};

}  // namespace integcov::http
