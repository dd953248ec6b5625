// The HTTP client as auth and storage see it. Implementations: CurlClient, and a fake in the tests.
#pragma once

#include <functional>
#include <memory>

#include "http/message.h"

namespace integcov::http {

// One request under way. Destroying it cancels; `done` is then never called.
class Exchange {
 public:
  virtual ~Exchange() = default;
};

class Client {
 public:
  // Called once, from the event loop, never from inside start(). It may destroy the Exchange.
  using Done = std::function<void(Reply)>;

  virtual ~Client() = default;
  virtual std::unique_ptr<Exchange> start(Request request, Done done) = 0;
  // Whether connections keep their congestion window over an idle time, as the last new one showed.
  [[nodiscard]] virtual bool keeps_windows() const { return false; }
};

}  // namespace integcov::http
