#include "auth/ready_fetch.h"

#include <utility>

#include "event/timer.h"

namespace integcov::auth {
namespace {

class ReadyFetch final : public Fetch {
 public:
  ReadyFetch(event::Loop& loop, TokenReply reply, TokenSource::Done done)
      : reply_(std::move(reply)), done_(std::move(done)), timer_(loop, [this] { answer(); }) {
    timer_.arm(Duration::zero());
  }

 private:
  void answer() {
    const auto finished = std::move(done_);  // it may destroy this
    finished(std::move(reply_));
  }

  TokenReply reply_;
  TokenSource::Done done_;
  event::Timer timer_;
};

}  // namespace

std::unique_ptr<Fetch> answer_later(event::Loop& loop, TokenReply reply, TokenSource::Done done) {
  return std::make_unique<ReadyFetch>(loop, std::move(reply), std::move(done));
}

}  // namespace integcov::auth
