#include "http/curl_multi.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <nss.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <chrono>
#include <exception>
#include <string_view>
#include <utility>

namespace integcov::http {

CurlMulti::CurlMulti(event::Loop& loop, std::size_t max_connections_per_host,
                     std::function<void(CURL*, CURLcode)> finished)
    : loop_(loop),
      finished_(std::move(finished)),
      max_per_host_(max_connections_per_host),
      timer_(loop, [this] { act(CURL_SOCKET_TIMEOUT, 0); }) {
  // A static program must not load the modules that an nsswitch.conf asks for: they belong to
  // another libc.
  __nss_configure_lookup("hosts", "files dns");
  __nss_configure_lookup("passwd", "files");
  // Never undone: with CURLOPT_QUICK_EXIT a name lookup may outlive its transfer.
  if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) return;
  multi_.reset(curl_multi_init());
  if (multi_ == nullptr) return;
  const auto connections = static_cast<long>(max_connections_per_host);
  curl_multi_setopt(multi_.get(), CURLMOPT_SOCKETFUNCTION, &CurlMulti::on_socket);
  curl_multi_setopt(multi_.get(), CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_.get(), CURLMOPT_TIMERFUNCTION, &CurlMulti::on_timer);
  curl_multi_setopt(multi_.get(), CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi_.get(), CURLMOPT_MAX_HOST_CONNECTIONS, connections);
  curl_multi_setopt(multi_.get(), CURLMOPT_MAXCONNECTS, connections + 4);  // kept when idle
  curl_multi_setopt(multi_.get(), CURLMOPT_PIPELINING, static_cast<long>(CURLPIPE_NOTHING));
#if LIBCURL_VERSION_NUM >= 0x081400
  curl_multi_setopt(multi_.get(), CURLMOPT_QUICK_EXIT, 1L);
#endif
}

CurlMulti::~CurlMulti() { assert(active_.empty() && waiting_.empty()); }

bool CurlMulti::add(CURL* easy, const std::string& host) {
  if (multi_ == nullptr) return false;
  if (!has_room(host)) {
    waiting_.push_back({easy, host});
    return true;
  }
  if (curl_multi_add_handle(multi_.get(), easy) != CURLM_OK) return false;
  active_.push_back({easy, host});
  return true;
}

void CurlMulti::remove(CURL* easy) {
  const auto is_it = [easy](const Transfer& transfer) { return transfer.easy == easy; };
  std::erase_if(waiting_, is_it);
  if (std::erase_if(active_, is_it) == 0) return;
  curl_multi_remove_handle(multi_.get(), easy);
  start_waiting();
}

bool CurlMulti::has_room(const std::string& host) const {
  const auto same = [&host](const Transfer& transfer) { return transfer.host == host; };
  return static_cast<std::size_t>(std::ranges::count_if(active_, same)) < max_per_host_;
}

// One that libcurl does not take stays: the next end of a transfer tries again.
void CurlMulti::start_waiting() {
  std::erase_if(waiting_, [this](const Transfer& transfer) {
    if (!has_room(transfer.host)) return false;
    if (curl_multi_add_handle(multi_.get(), transfer.easy) != CURLM_OK) return false;
    active_.push_back(transfer);
    return true;
  });
}

int CurlMulti::socket_of(CURL* easy) const {
  const auto it = std::ranges::find_if(
      sockets_, [easy](const auto& entry) { return entry.second.user == easy; });
  return it != sockets_.end() ? it->first : -1;
}

// BBR goes on after an idle time where it was (a route may have another one than we asked for).
void CurlMulti::connected(int fd) {
  std::array<char, 16> name{};
  socklen_t length = name.size() - 1;
  if (::getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name.data(), &length) != 0) return;
  keeps_windows_ = std::string_view(name.data()).starts_with("bbr");
}

int CurlMulti::on_socket(CURL* easy, curl_socket_t fd, int what, void* data, void*) noexcept {
  auto* self = static_cast<CurlMulti*>(data);
  if (what == CURL_POLL_REMOVE) {
    self->sockets_.erase(fd);
    return 0;
  }
  try {
    auto it = self->sockets_.find(fd);
    if (it == self->sockets_.end()) {
      const auto ready = [self, fd](event::Readiness got) {
        self->act(fd, (got.readable ? CURL_CSELECT_IN : 0) | (got.writable ? CURL_CSELECT_OUT : 0));
      };
      it = self->sockets_.try_emplace(fd, self->loop_, fd, ready).first;
    }
    it->second.user = easy;
    it->second.watcher.watch(
        {.readable = (what & CURL_POLL_IN) != 0, .writable = (what & CURL_POLL_OUT) != 0});
    return 0;
  } catch (const std::exception&) {
    return -1;  // libcurl then fails every transfer
  }
}

// A timeout of 0 must not act from here: this runs inside libcurl.
int CurlMulti::on_timer(CURLM*, long timeout_ms, void* data) noexcept {
  auto* self = static_cast<CurlMulti*>(data);
  if (timeout_ms < 0) {
    self->timer_.disarm();
  } else {
    self->timer_.arm(std::chrono::milliseconds(timeout_ms));
  }
  return 0;
}

void CurlMulti::act(curl_socket_t fd, int ready) {
  int running = 0;
  const CURLMcode code = curl_multi_socket_action(multi_.get(), fd, ready, &running);
  drain();  // after every action, timeouts included: a transfer can end in any of them
  if (code != CURLM_OK) fail_all();
}

void CurlMulti::drain() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    CURL* easy = message->easy_handle;
    const CURLcode code = message->data.result;
    remove(easy);  // `message` is gone from here on
    finished_(easy, code);
  }
}

void CurlMulti::fail_all() {
  for (const Transfer& transfer : std::vector<Transfer>(active_)) {
    if (std::ranges::find(active_, transfer.easy, &Transfer::easy) == active_.end()) {
      continue;  // removed by another's end
    }
    remove(transfer.easy);
    finished_(transfer.easy, CURLE_ABORTED_BY_CALLBACK);
  }
}

}  // namespace integcov::http
