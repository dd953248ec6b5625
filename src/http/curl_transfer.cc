#include "http/curl_transfer.h"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <string_view>
#include <tuple>
#include <utility>

#include "http/curl_error.h"

namespace integcov::http {
namespace {

constexpr std::size_t kMaxHeaderBytes = 256 << 10;
constexpr int kLooksPerLimit = 8;
// An idle connection to the service itself saves three round trips, and keepalive probes hold it
// open in between; the one that the server has closed meanwhile is noticed before it is used.
constexpr long kLongestIdleSeconds = 24L * 60 * 60;
constexpr std::uint64_t kMinUploadBuffer = 16 << 10;  // libcurl's own minimum
constexpr std::uint64_t kMaxUploadBuffer = 128 << 10;

template <class Value>
bool set(CURL* easy, CURLoption option, Value value) {
  return curl_easy_setopt(easy, option, value) == CURLE_OK;
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const auto first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

}  // namespace

CurlTransfer::CurlTransfer(event::Loop& loop, CurlMulti& multi, const CurlOptions& options,
                           Request request, Client::Done done)
    : multi_(multi),
      request_(std::move(request)),
      done_(std::move(done)),
      endpoint_(endpoint_of(request_.url)),
      reader_(request_.body),
      timer_(loop, [this] { on_timer(); }) {
  own_error_ = begin(options);
  if (own_error_) timer_.arm(Duration::zero());
}

CurlTransfer::~CurlTransfer() {
  if (easy_ != nullptr) multi_.remove(easy_.get());
}

CurlTransfer* CurlTransfer::of(CURL* easy) {
  char* self = nullptr;
  curl_easy_getinfo(easy, CURLINFO_PRIVATE, &self);
  return static_cast<CurlTransfer*>(static_cast<void*>(self));
}

std::optional<TransportError> CurlTransfer::begin(const CurlOptions& options) {
  const auto permanent = [](std::string message) {
    return TransportError{.message = std::move(message), .retryable = false, .maybe_sent = false};
  };
  if (endpoint_.empty()) return permanent("the address of the request is no http or https URL");
  easy_.reset(curl_easy_init());
  if (easy_ == nullptr || !set_up(options) || !set_up_body())
    return permanent("libcurl cannot prepare a request to " + endpoint_);
  if (!set_up_headers()) return permanent("a header of the request has a line break in it");
  if (!multi_.add(easy_.get(), endpoint_))
    return permanent("libcurl cannot start a request to " + endpoint_);
  return std::nullopt;
}

bool CurlTransfer::set_up(const CurlOptions& options) {
  CURL* e = easy_.get();
  const auto connect_ms = std::max<long>(
      1, std::chrono::ceil<std::chrono::milliseconds>(request_.connect_timeout).count());
  return set(e, CURLOPT_PRIVATE, this) && set(e, CURLOPT_ERRORBUFFER, detail_.data()) &&
         set(e, CURLOPT_URL, request_.url.c_str()) && set(e, CURLOPT_PATH_AS_IS, 1L) &&
         set(e, CURLOPT_PROTOCOLS_STR, "http,https") &&
         set(e, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L) &&
         set(e, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1)) &&
         set(e, CURLOPT_FOLLOWLOCATION, 0L) && set(e, CURLOPT_NOSIGNAL, 1L) &&
         // Else libcurl blocks until a name lookup ends that was cancelled or timed out.
         set(e, CURLOPT_QUICK_EXIT, 1L) && set(e, CURLOPT_CONNECTTIMEOUT_MS, connect_ms) &&
         set(e, CURLOPT_TCP_KEEPALIVE, 1L) && set(e, CURLOPT_MAXAGE_CONN, kLongestIdleSeconds) &&
         set(e, CURLOPT_FRESH_CONNECT, request_.fresh_connection ? 1L : 0L) &&
         set(e, CURLOPT_OPENSOCKETFUNCTION, &CurlTransfer::on_open) &&
         set(e, CURLOPT_OPENSOCKETDATA, this) &&
         set(e, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2)) &&
         set(e, CURLOPT_SSL_VERIFYPEER, 1L) && set(e, CURLOPT_SSL_VERIFYHOST, 2L) &&
         (options.ca_file.empty() || set(e, CURLOPT_CAINFO, options.ca_file.c_str())) &&
         (options.user_agent.empty() || set(e, CURLOPT_USERAGENT, options.user_agent.c_str())) &&
         (request_.through_proxy || set(e, CURLOPT_NOPROXY, "*")) &&
         set(e, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L) &&
         set(e, CURLOPT_PREREQFUNCTION, &CurlTransfer::on_connected) &&
         set(e, CURLOPT_PREREQDATA, this) &&
         set(e, CURLOPT_HEADERFUNCTION, &CurlTransfer::on_header) &&
         set(e, CURLOPT_HEADERDATA, this) &&
         set(e, CURLOPT_WRITEFUNCTION, &CurlTransfer::on_body) && set(e, CURLOPT_WRITEDATA, this);
}

// Every body goes the way of PUT: one reader, no form headers added by libcurl.
bool CurlTransfer::set_up_body() {
  CURL* e = easy_.get();
  const std::uint64_t size = body_size(request_.body);
  const bool sends = size > 0 || request_.method == "PUT" || request_.method == "POST";
  if (request_.method == "HEAD") return set(e, CURLOPT_NOBODY, 1L);
  if (!sends) return set(e, CURLOPT_CUSTOMREQUEST, request_.method.c_str());
  const auto buffer = static_cast<long>(std::clamp(size, kMinUploadBuffer, kMaxUploadBuffer));
  return set(e, CURLOPT_UPLOAD, 1L) && set(e, CURLOPT_CUSTOMREQUEST, request_.method.c_str()) &&
         set(e, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(size)) &&
         set(e, CURLOPT_UPLOAD_BUFFERSIZE, buffer) &&
         set(e, CURLOPT_READFUNCTION, &CurlTransfer::on_read) && set(e, CURLOPT_READDATA, this) &&
         set(e, CURLOPT_SEEKFUNCTION, &CurlTransfer::on_seek) && set(e, CURLOPT_SEEKDATA, this);
}

bool CurlTransfer::set_up_headers() {
  constexpr std::string_view kForbidden{"\r\n\0", 3};
  const auto append = [this](const std::string& line) {
    curl_slist* longer = curl_slist_append(headers_.get(), line.c_str());
    if (longer == nullptr) return false;
    std::ignore = headers_.release();  // now part of the longer list
    headers_.reset(longer);
    return true;
  };
  for (const auto& [name, value] : request_.headers) {
    if ((name + value).find_first_of(kForbidden) != std::string::npos) return false;
    if (!append(value.empty() ? name + ';' : name + ": " + value)) return false;
  }
  return append("Expect:") && set(easy_.get(), CURLOPT_HTTPHEADER, headers_.get());
}

// libcurl 7.88 leaves its sockets open in children. After an idle time Linux' other congestion
// controls begin with ten packets again, BBR goes on where it was: where the kernel has it and lets
// us, the last counters take one round trip.
curl_socket_t CurlTransfer::on_open(void* data, curlsocktype, curl_sockaddr* address) noexcept {
  static_cast<CurlTransfer*>(data)->address_ = address_text(address->addr, address->addrlen);
  const int fd = ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  constexpr std::string_view kBbr = "bbr";
  if (fd >= 0) ::setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, kBbr.data(), kBbr.size());
  return fd;
}

std::size_t CurlTransfer::on_read(char* to, std::size_t size, std::size_t n, void* data) noexcept {
  auto* self = static_cast<CurlTransfer*>(data);
  const auto got = self->reader_.read({to, size * n});
  if (got) return *got;
  self->own_error_ = TransportError{.message = got.message()};
  return CURL_READFUNC_ABORT;
}

int CurlTransfer::on_seek(void* data, curl_off_t offset, int origin) noexcept {
  auto* self = static_cast<CurlTransfer*>(data);
  const bool found = origin == SEEK_SET && self->reader_.seek(static_cast<std::uint64_t>(offset));
  return found ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL;
}

std::size_t CurlTransfer::on_body(char* from, std::size_t size, std::size_t n,
                                  void* data) noexcept {
  auto* self = static_cast<CurlTransfer*>(data);
  std::string& body = self->response_.body;
  if (size * n > kMaxResponseBody - body.size()) {
    self->own_error_ =
        TransportError{.message = "the answer of " + self->endpoint_ + " is longer than 1 MiB",
                       .retryable = false};
    return 0;
  }
  body.append(from, size * n);
  return size * n;
}

std::size_t CurlTransfer::on_header(char* from, std::size_t size, std::size_t n,
                                    void* data) noexcept {
  auto* self = static_cast<CurlTransfer*>(data);
  const std::string_view line(from, size * n);
  self->header_bytes_ += line.size();
  if (self->header_bytes_ > kMaxHeaderBytes) {
    self->own_error_ = TransportError{
        .message = "the header of the answer of " + self->endpoint_ + " is longer than 256 KiB",
        .retryable = false};
    return 0;
  }
  if (line.starts_with("HTTP/")) {
    self->response_.headers.clear();  // what came before belonged to an interim answer (1xx)
  } else if (const auto colon = line.find(':'); colon != std::string_view::npos) {
    self->response_.headers.emplace_back(trim(line.substr(0, colon)), trim(line.substr(colon + 1)));
  }
  return line.size();
}

// Before this, waiting for a connection is the business of libcurl and its connect timeout.
int CurlTransfer::on_connected(void* data, char*, char*, int, int) noexcept {
  auto* self = static_cast<CurlTransfer*>(data);
  self->connected_ = true;
  if (const int fd = self->multi_.socket_of(self->easy_.get()); fd >= 0) self->multi_.connected(fd);
  self->idle_looks_ = 0;
  self->answer_looks_ = 0;
  self->timer_.arm(self->look_interval());
  return CURL_PREREQFUNC_OK;
}

CurlTransfer::Progress CurlTransfer::progress() const {
  Progress now;
  curl_easy_getinfo(easy_.get(), CURLINFO_SIZE_UPLOAD_T, &now.sent);
  curl_easy_getinfo(easy_.get(), CURLINFO_SIZE_DOWNLOAD_T, &now.received);
  curl_easy_getinfo(easy_.get(), CURLINFO_HEADER_SIZE, &now.header);
  // A slow link drains megabytes from the kernel's buffer while libcurl has nothing to do.
  if (const int fd = multi_.socket_of(easy_.get()); fd >= 0) ::ioctl(fd, SIOCOUTQ, &now.unsent);
  return now;
}

Duration CurlTransfer::look_interval() const {
  return std::min(request_.stall_timeout, request_.answer_timeout) / kLooksPerLimit;
}

// A limit is kept to within one interval of looks. Looks are counted, not the time: a process that
// was frozen for minutes reads what has arrived before it gives up.
void CurlTransfer::on_timer() {
  if (own_error_) {
    deliver(*std::exchange(own_error_, std::nullopt));
    return;
  }
  const Progress seen = progress();
  const bool idle = seen == last_progress_;
  // Once in the kernel's hands and gone from there, the request is with the server.
  const bool all_sent =
      static_cast<std::uint64_t>(seen.sent) == body_size(request_.body) && seen.unsent == 0;
  idle_looks_ = idle ? idle_looks_ + 1 : 0;
  answer_looks_ = all_sent ? answer_looks_ + 1 : 0;
  last_progress_ = seen;
  const Duration interval = look_interval();
  if (all_sent && (answer_looks_ - 1) * interval >= request_.answer_timeout) {
    time_out("no answer from " + endpoint_ + " within " + human(request_.answer_timeout));
  } else if (!all_sent && idle_looks_ * interval >= request_.stall_timeout) {
    time_out("no byte from or to " + endpoint_ + " for " + human(request_.stall_timeout));
  } else {
    timer_.arm(interval);
  }
}

void CurlTransfer::time_out(std::string message) {
  multi_.remove(easy_.get());
  TransportError error = describe(CURLE_OPERATION_TIMEDOUT, failure());
  error.message = std::move(message);
  deliver(std::move(error));
}

Failure CurlTransfer::failure() const {
  long os_error = 0;
  long connects = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_OS_ERRNO, &os_error);
  curl_easy_getinfo(easy_.get(), CURLINFO_NUM_CONNECTS, &connects);
  return {.endpoint = endpoint_,
          .address = address_,
          .connect_timeout = request_.connect_timeout,
          .os_error = static_cast<int>(os_error),
          .detail = detail_.data(),
          .sent = connected_,
          .reused = connects == 0};
}

void CurlTransfer::finish(CURLcode code) {
  if (code == CURLE_OK) {
    long status = 0;
    curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
    response_.status = static_cast<int>(status);
    deliver(std::move(response_));
  } else {
    deliver(own_error_ ? *std::exchange(own_error_, std::nullopt) : describe(code, failure()));
  }
}

void CurlTransfer::deliver(Reply reply) {
  timer_.disarm();
  const auto done = std::move(done_);  // `done` may destroy this
  done(std::move(reply));
}

}  // namespace integcov::http
