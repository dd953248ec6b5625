// libcurl's result codes as transport errors for people and for the retry loop.
#pragma once

#include <curl/curl.h>
#include <sys/socket.h>

#include <string>
#include <string_view>

#include "http/message.h"

namespace integcov::http {

// What is known about a transfer that failed.
struct Failure {
  std::string endpoint;  // "storage.googleapis.com:443"
  std::string address;   // the last one tried, "10.0.0.5:3128": a proxy's if there is one
  Duration connect_timeout{};
  int os_error = 0;         // errno of the failed system call, 0 if there was none
  std::string_view detail;  // libcurl's error buffer: shown for TLS errors only
  bool sent = false;        // the connection was up and the request was about to be sent
  bool reused = false;      // on a connection that had served an earlier request
};

TransportError describe(CURLcode code, const Failure& failure);

// "127.0.0.1:80", "[::1]:80"; empty for what isn't an Internet address.
std::string address_text(const sockaddr& address, socklen_t size);

// "2 s", "250 ms".
std::string human(Duration duration);

// "HOST:PORT" of an http or https URL without a user name; empty for anything else.
std::string endpoint_of(const std::string& url);

}  // namespace integcov::http
