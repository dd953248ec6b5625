#include "supervise/budget.h"

#include <algorithm>

namespace integcov::supervise {

Duration Budget::usable_grace() const { return std::max(grace_ - kReserve, grace_ / 2); }

void Budget::stop_requested(MonoTime now) {
  if (deadline_) {
    deadline_ = std::min(*deadline_, now + usable_grace());
    return;
  }
  // Further signals while the app shuts down don't buy time. Once the app has outlived a grace,
  // that stop is over (the app took the signal for something else) and the next one counts anew.
  if (!stop_deadline_ || now >= *stop_deadline_) stop_deadline_ = now + usable_grace();
}

void Budget::child_exited(MonoTime now) {
  if (!stop_deadline_) {
    deadline_ = now + upload_timeout_;
  } else if (now < *stop_deadline_) {
    deadline_ = stop_deadline_;
  } else {
    deadline_ = now + grace_;  // the platform evidently allows more than the grace we were told
  }
}

}  // namespace integcov::supervise
