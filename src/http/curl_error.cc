#include "http/curl_error.h"

#include <netdb.h>

#include <array>
#include <cstring>
#include <memory>

namespace integcov::http {
namespace {

bool is_permanent(CURLcode code, bool sent) {
  switch (code) {
    case CURLE_URL_MALFORMAT:
    case CURLE_OUT_OF_MEMORY:
    case CURLE_WRITE_ERROR:
    case CURLE_READ_ERROR:
    case CURLE_SEND_FAIL_REWIND:
    case CURLE_BAD_FUNCTION_ARGUMENT:
    case CURLE_FAILED_INIT:
    case CURLE_NOT_BUILT_IN:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER: return true;
    case CURLE_UNSUPPORTED_PROTOCOL: return !sent;  // later it means: the answer isn't HTTP
    default: return false;
  }
}

std::string with_detail(std::string text, std::string_view detail) {
  if (!detail.empty()) text.append(": ").append(detail);
  return text;
}

std::string os_text(int os_error) {
  return os_error != 0 ? std::string(": ") + std::strerror(os_error) : std::string();
}

std::string target(const Failure& f) {
  const bool known = f.address.empty() || f.address == f.endpoint;
  return known ? f.endpoint : f.endpoint + " (" + f.address + ')';
}

std::string message(CURLcode code, const Failure& f) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST: return "cannot find the address of " + f.endpoint;
    case CURLE_COULDNT_RESOLVE_PROXY: return "cannot find the address of the proxy";
    case CURLE_COULDNT_CONNECT: return "cannot connect to " + target(f) + os_text(f.os_error);
    case CURLE_OPERATION_TIMEDOUT:
      return "cannot connect to " + target(f) + " within " + human(f.connect_timeout);
    case CURLE_PROXY: return "the proxy refused to connect to " + f.endpoint;
    case CURLE_GOT_NOTHING: return f.endpoint + " closed the connection without an answer";
    case CURLE_PARTIAL_FILE:
      return f.endpoint + " closed the connection in the middle of its answer";
    case CURLE_WEIRD_SERVER_REPLY: return f.endpoint + " sent something that is not HTTP";
    case CURLE_UNSUPPORTED_PROTOCOL:
      return f.sent ? f.endpoint + " sent something that is not HTTP"
                    : "only http and https are supported";
    case CURLE_SEND_ERROR: return "the connection to " + f.endpoint + " broke while sending";
    case CURLE_RECV_ERROR: return "the connection to " + f.endpoint + " broke while receiving";
    case CURLE_PEER_FAILED_VERIFICATION:
      return with_detail("the certificate of " + f.endpoint + " is not trusted", f.detail);
    case CURLE_SSL_CACERT_BADFILE:
      return with_detail("cannot use the file of trusted certificates", f.detail);
    case CURLE_SSL_CONNECT_ERROR:
      return with_detail("no TLS connection to " + f.endpoint, f.detail);
    default: return "the request to " + f.endpoint + " failed: " + curl_easy_strerror(code);
  }
}

using Url = std::unique_ptr<CURLU, decltype(&curl_url_cleanup)>;

std::string url_part(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, CURLU_DEFAULT_PORT) != CURLUE_OK) return "";
  const std::unique_ptr<char, decltype(&curl_free)> owner(text, &curl_free);
  return text;
}

}  // namespace

TransportError describe(CURLcode code, const Failure& failure) {
  return {.message = message(code, failure),
          .retryable = !is_permanent(code, failure.sent),
          .maybe_sent = failure.sent,
          .reused_connection = failure.sent && failure.reused,
          .timed_out = code == CURLE_OPERATION_TIMEDOUT};
}

std::string address_text(const sockaddr& address, socklen_t size) {
  std::array<char, NI_MAXHOST> host{};
  std::array<char, NI_MAXSERV> port{};
  if (::getnameinfo(&address, size, host.data(), host.size(), port.data(), port.size(),
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0 ||
      (address.sa_family != AF_INET && address.sa_family != AF_INET6))
    return "";
  const std::string ip = host.data();
  return (address.sa_family == AF_INET6 ? '[' + ip + ']' : ip) + ':' + port.data();
}

std::string human(Duration duration) {
  const auto ms = std::chrono::round<std::chrono::milliseconds>(duration).count();
  return ms % 1000 == 0 ? std::to_string(ms / 1000) + " s" : std::to_string(ms) + " ms";
}

std::string endpoint_of(const std::string& url) {
  const Url parsed(curl_url(), &curl_url_cleanup);
  if (parsed == nullptr) return "";
  if (curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(),
                   CURLU_PATH_AS_IS | CURLU_DISALLOW_USER) != CURLUE_OK)
    return "";
  const std::string scheme = url_part(parsed.get(), CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https") return "";
  return url_part(parsed.get(), CURLUPART_HOST) + ':' + url_part(parsed.get(), CURLUPART_PORT);
}

}  // namespace integcov::http
