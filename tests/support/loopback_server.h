// An HTTP/1.1 server on 127.0.0.1 for tests: it runs on the loop of the test, keeps what it
// received and does to each connection what the test says.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/unique_fd.h"
#include "event/fd_watcher.h"

namespace integcov::test {

struct Received {
  int connection = 0;  // counted from 1
  std::string method;
  std::string target;  // path and query
  std::string head;    // the whole header, request line included
  std::string body;
};

struct Answer {
  std::string bytes;   // sent as they are
  bool close = false;  // afterwards; false keeps the connection open
};

inline Answer answer(int status, std::string_view body = "", std::string_view headers = "") {
  return {"HTTP/1.1 " + std::to_string(status) + " Status\r\nContent-Length: " +
          std::to_string(body.size()) + "\r\n" + std::string(headers) + "\r\n" + std::string(body)};
}

class LoopbackServer {
 public:
  using Script = std::function<Answer(const Received&)>;

  // `script` is asked for each request that has arrived as a whole.
  LoopbackServer(event::Loop& loop, Script script)
      : loop_(loop),
        script_(std::move(script)),
        listener_(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)),
        port_(listen()),
        watcher_(loop, listener_.get(), [this](event::Readiness) { accept(); }) {
    watcher_.watch({.readable = true});
  }

  [[nodiscard]] std::string url(std::string_view target = "/") const {
    return "http://" + endpoint() + std::string(target);
  }
  [[nodiscard]] std::string endpoint() const { return "127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] const std::vector<Received>& received() const { return received_; }
  [[nodiscard]] int accepted() const { return accepted_; }
  [[nodiscard]] std::size_t most_open() const { return most_open_; }
  [[nodiscard]] std::size_t open() const { return connections_.size(); }

  void close_all() { connections_.clear(); }
  void send_to_all(std::string_view bytes) {
    for (auto& [number, connection] : connections_)
      ::send(connection->fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
  // True: bodies stay in the socket; the script is never asked.
  bool stop_reading_after_head = false;
  std::function<void()> on_head = [] {};    // a header has arrived
  std::function<void()> on_answer = [] {};  // the script was asked
  std::function<void()> on_close = [] {};   // a client closed its connection

 private:
  struct Connection {
    Connection(event::Loop& loop, int number_, UniqueFd fd_,
               const std::function<void(event::Readiness)>& ready)
        : number(number_), fd(std::move(fd_)), watcher(loop, fd.get(), ready) {}
    int number;
    UniqueFd fd;  // before its watcher
    event::FdWatcher watcher;
    std::string in;
    std::string out;
    bool head_seen = false;
    bool close_when_sent = false;
  };

  std::uint16_t listen() const {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    auto* raw = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_.get(), raw, length) != 0 || ::listen(listener_.get(), 64) != 0) return 0;
    return ::getsockname(listener_.get(), raw, &length) == 0 ? ntohs(address.sin_port) : 0;
  }

  void accept() {
    for (;;) {
      UniqueFd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (!fd) return;
      const int number = ++accepted_;
      auto& connection = connections_[number];
      connection = std::make_unique<Connection>(
          loop_, number, std::move(fd), [this, number](event::Readiness) { serve(number); });
      most_open_ = std::max(most_open_, connections_.size());
      connection->watcher.watch({.readable = true});
    }
  }

  void serve(int number) {
    Connection& c = *connections_.at(number);
    if (!flush(c)) return;
    while (!(stop_reading_after_head && c.head_seen)) {
      char buffer[65536];
      const ssize_t got = ::recv(c.fd.get(), buffer, sizeof buffer, 0);
      if (got > 0) {
        c.in.append(buffer, static_cast<std::size_t>(got));
        if (!take_requests(c)) return;
        continue;
      }
      if (got < 0 && (errno == EAGAIN || errno == EINTR)) break;
      connections_.erase(number);
      on_close();
      return;
    }
    const bool blocked = stop_reading_after_head && c.head_seen;
    c.watcher.watch({.readable = !blocked, .writable = !c.out.empty()});
  }

  // False: the connection is gone.
  bool take_requests(Connection& c) {
    for (;;) {
      const auto end = c.in.find("\r\n\r\n");
      if (end == std::string::npos) return true;
      if (!std::exchange(c.head_seen, true)) on_head();
      if (stop_reading_after_head) return true;
      Received request{.connection = c.number, .head = c.in.substr(0, end + 2)};
      const std::size_t size = content_length(request.head);
      if (c.in.size() < end + 4 + size) return true;
      const auto space = request.head.find(' ');
      request.method = request.head.substr(0, space);
      request.target =
          request.head.substr(space + 1, request.head.find(' ', space + 1) - space - 1);
      request.body = c.in.substr(end + 4, size);
      c.in.erase(0, end + 4 + size);
      c.head_seen = false;
      received_.push_back(request);
      Answer reply = script_(request);
      c.out += reply.bytes;
      c.close_when_sent = reply.close;
      on_answer();
      if (!flush(c)) return false;
    }
  }

  static std::size_t content_length(const std::string& head) {
    constexpr std::string_view kName = "\r\nContent-Length: ";
    const auto at = head.find(kName);
    return at == std::string::npos ? 0 : std::stoul(head.substr(at + kName.size()));
  }

  // False: all was sent and the connection is closed.
  bool flush(Connection& c) {
    while (!c.out.empty()) {
      const ssize_t sent = ::send(c.fd.get(), c.out.data(), c.out.size(), MSG_NOSIGNAL);
      if (sent < 0) break;
      c.out.erase(0, static_cast<std::size_t>(sent));
    }
    if (!c.out.empty() || !c.close_when_sent) return true;
    connections_.erase(c.number);
    return false;
  }

  event::Loop& loop_;
  Script script_;
  UniqueFd listener_;
  std::uint16_t port_;
  event::FdWatcher watcher_;
  std::map<int, std::unique_ptr<Connection>> connections_;
  std::vector<Received> received_;
  int accepted_ = 0;
  std::size_t most_open_ = 0;
};

}  // namespace integcov::test
