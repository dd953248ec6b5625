#include "supervise/flush.h"

#include <algorithm>
#include <random>
#include <utility>

#include "config/signal_name.h"

namespace integcov::supervise {

using config::FlushMode;

void Flush::coverage_seen(MonoTime now) {
  if (std::exchange(covered_, true) || off()) return;
  if (wanted_) wanted_at_ = now + kSettle;
  if (interval_ == Duration::zero()) return;
  // Somewhere in its second half, so that a fleet that starts at once doesn't flush at once.
  std::uniform_int_distribution<Duration::rep> half(interval_.count() / 2, interval_.count());
  due_ = now + std::max(Duration(half(random_)), kSettle);
}

void Flush::stop_requested(MonoTime now, MonoTime end) {
  if (off() || !before_kill_.empty()) return;
  before_kill_ = {now + kAfterStop, std::max(end - kBeforeTheEnd, now + (end - now) / 2)};
  std::ranges::sort(before_kill_);
}

void Flush::requested(MonoTime now, std::optional<std::int64_t> forwarded_ns) {
  if (off() || ended_) return;
  if (!covered_) {
    wanted_ = true;  // a signal that was forwarded came before there could be a handler
    return;
  }
  if (in_round_) {
    again_ = true;
    forwarded_again_ns_ = forwarded_ns;
    return;
  }
  forwarded_ns_ = forwarded_ns;
  begin(now);
}

bool Flush::want(MonoTime at) {
  const bool free = options_.mode == FlushMode::automatic || options_.mode == FlushMode::memory;
  if (!covered_ || ended_ || !free || interval_ == Duration::zero() || wanted_at_) return false;
  wanted_at_ = at;
  return true;
}

void Flush::end() {
  ended_ = true;
  in_round_ = again_ = checking_ = false;
  due_.reset();
  before_kill_.clear();
  requests_.clear();
  awaited_.clear();
}

Duration Flush::wait() const {
  return hurried_ ? std::min(options_.wait, kHurriedWait) : options_.wait;
}

void Flush::begin(MonoTime now) {
  in_round_ = true;
  finding_ = true;
  asked_.clear();
  requests_.emplace_back(FindProcesses{});
  if (due_) {
    std::uniform_real_distribution<double> jitter(0.9, 1.1);
    const double wait = static_cast<double>(interval_.count()) * jitter(random_);
    due_ = now + Duration(static_cast<Duration::rep>(wait));
  }
}

std::optional<Flush::Request> Flush::next(MonoTime now) {
  if (ended_) return std::nullopt;
  if (covered_ && !before_kill_.empty() && before_kill_.front() <= now) {
    std::erase_if(before_kill_, [now](MonoTime time) { return time <= now; });
    hurried_ = true;
    for (auto& [pid, awaited] : awaited_) awaited.until = std::min(awaited.until, now + wait());
    if (!in_round_) begin(now);
  }
  give_up_waiting(now);
  finish_round(now);
  if (wanted_at_ && *wanted_at_ <= now) {
    wanted_at_.reset();
    if (!in_round_) requested(now, std::nullopt);
  }
  if (covered_ && !in_round_ && due_ && *due_ <= now) begin(now);
  if (requests_.empty()) return std::nullopt;
  Request request = std::move(requests_.front());
  requests_.pop_front();
  return request;
}

std::optional<MonoTime> Flush::deadline() const {
  if (ended_) return std::nullopt;
  std::optional<MonoTime> earliest;
  const auto also = [&](MonoTime time) { earliest = std::min(earliest.value_or(time), time); };
  for (const auto& [pid, awaited] : awaited_) also(awaited.until);
  if (wanted_at_) also(*wanted_at_);
  if (covered_ && !in_round_ && due_) also(*due_);
  if (covered_ && !before_kill_.empty()) also(before_kill_.front());
  return earliest;
}

void Flush::finish_round(MonoTime now) {
  if (!in_round_ || finding_ || checking_ || !requests_.empty()) return;
  if (!asked_.empty() || !awaited_.empty()) return;
  in_round_ = false;
  hurried_ = false;
  forwarded_ns_.reset();
  if (std::exchange(lengthened_, false) && interval_ < kLongestInterval) {
    interval_ = std::min(interval_ * 2, kLongestInterval);
  }
  if (!std::exchange(again_, false)) return newest_ns_.clear();
  // A file of this round may be the next one's answer too: it came after both signals.
  forwarded_ns_ = std::exchange(forwarded_again_ns_, std::nullopt);
  begin(now);
}

void Flush::on(const ProcessesFound& found, MonoTime now) {
  if (!in_round_) return;
  if (std::exchange(checking_, false)) forget_who_is_another(found);
  if (!std::exchange(finding_, false)) return;
  images_.clear();
  for (const ProcessesFound::Process& process : found.processes) {
    images_[process.pid] = process.image;
    take(process, now);
  }
}

void Flush::image_started() {
  if (awaited_.empty() || finding_ || std::exchange(checking_, true)) return;
  requests_.emplace_back(FindProcesses{});
}

void Flush::forget_who_is_another(const ProcessesFound& found) {
  std::erase_if(awaited_, [&](const auto& awaited) {
    const auto now =
        std::ranges::find(found.processes, awaited.first, &ProcessesFound::Process::pid);
    return now == found.processes.end() || now->image != awaited.second.image;
  });
}

void Flush::take(const ProcessesFound::Process& process, MonoTime now) {
  const std::uint32_t pid = process.pid;
  if (process.main) main_ = pid;
  const bool users_word = options_.mode == FlushMode::signal && process.main;
  const bool by_signal =
      users_word || (process.handler_signal != 0 && options_.mode != FlushMode::memory);
  if (!by_signal) {
    if (options_.mode == FlushMode::signal) return;
    asked_.insert(pid);
    requests_.emplace_back(ReadSnapshot{pid});
    return;
  }
  if (process.main && process.handler_signal == 0 && !process.handler_error.empty()) {
    warn_once("handler", "the program's snapshot handler says: " + process.handler_error);
  }
  const int signal = process.handler_signal != 0 ? process.handler_signal : options_.signal;
  if (process.main && forwarded_ns_ && signal == options_.signal) {
    awaited_[pid] = {*forwarded_ns_, now + wait(), true, process.image};
    if (const auto seen = newest_ns_.find(pid); seen != newest_ns_.end()) {
      counters_written(pid, seen->second, now);
    }
    return;
  }
  asked_.insert(pid);
  requests_.emplace_back(SignalSnapshot{pid, signal, process.handler_signal != 0});
}

void Flush::on(const SnapshotSignalled& answer, MonoTime now) {
  if (asked_.erase(answer.pid) == 0) return;
  if (!answer.sent) {
    if (answer.uncaught && answer.pid == main_ && options_.mode == FlushMode::signal) {
      warn_once("uncaught", "no snapshot was taken: the program does not catch " +
                                config::signal_name(options_.signal) +
                                ", which would end it; see INTEGCOV_FLUSH in go-integcov --help");
    }
    return not_by_signal(answer.pid);
  }
  if (answer.pid == main_) method_ = "signal";
  awaited_[answer.pid] = {answer.at_ns, now + wait(), answer.pid == main_, images_[answer.pid]};
  const auto seen = newest_ns_.find(answer.pid);
  if (seen != newest_ns_.end()) counters_written(answer.pid, seen->second, now);
}

// Without its handler's help.
void Flush::not_by_signal(std::uint32_t pid) {
  if (options_.mode != FlushMode::automatic) return;
  asked_.insert(pid);
  requests_.emplace_back(ReadSnapshot{pid});
}

void Flush::on(const SnapshotRead& answer, MonoTime /*now*/) {
  if (asked_.erase(answer.pid) == 0) return;
  using Result = SnapshotRead::Result;
  if (answer.pid != main_) return;
  if (answer.result == Result::written || answer.result == Result::unchanged) method_ = "memory";
  if (answer.result == Result::failed) {
    warn_once("memory",
              "no snapshots are taken of the running program, its counters come at its "
              "end only: " +
                  answer.why);
  }
}

void Flush::counters_written(std::uint32_t pid, std::uint64_t time_ns, MonoTime /*now*/) {
  if (!in_round_) return;
  std::uint64_t& newest = newest_ns_[pid];
  newest = std::max(newest, time_ns);
  const auto awaited = awaited_.find(pid);
  if (awaited == awaited_.end()) return;
  if (static_cast<std::int64_t>(newest) < awaited->second.since_ns) return;
  if (awaited->second.main) method_ = "signal";
  awaited_.erase(awaited);
}

void Flush::give_up_waiting(MonoTime now) {
  for (auto at = awaited_.begin(); at != awaited_.end();) {
    if (now < at->second.until) {
      ++at;
      continue;
    }
    if (at->second.main) {
      warn_once("silent", "the program got " + config::signal_name(options_.signal) +
                              " and wrote no snapshot in time (INTEGCOV_FLUSH_WAIT): it needs a "
                              "handler and -covermode=atomic; INTEGCOV_FLUSH=memory needs neither");
    }
    not_by_signal(at->first);
    at = awaited_.erase(at);
  }
}

void Flush::warn_once(const std::string& key, std::string sentence) {
  if (warned_.insert(key).second) warnings_.push_back(std::move(sentence));
}

std::string Flush::method() const { return off() ? "off" : method_; }

}  // namespace integcov::supervise
