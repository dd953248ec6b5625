// A world around a Session: it performs the actions with faults that `pick` chooses, and says which
// promise of the session was broken. Without gtest: the simulation and a fuzzer share it.
#pragma once

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "supervise/session.h"

namespace integcov::supervise::testing {

class World {
 public:
  // A number in [0, n); 0 is the harmless choice everywhere, so that a pick that always gives 0
  // ends soon.
  using Pick = std::function<std::uint64_t(std::uint64_t n)>;

  explicit World(Pick pick) : pick_(std::move(pick)), options_(make_options()) {
    lossy_ = pick_(4) == 1;
    failing_ = pick_(4);
    slow_ = pick_(4) == 1;
    plan();
    session_.emplace(options_, now_);
    for (const auto& [path, file] : earlier_) session_->already_uploaded(file);
  }

  // Empty, or the promise that was broken.
  std::string run() {
    pump();
    for (int steps = 0; broken_.empty() && !exited_; ++steps) {
      if (steps == 20'000) return "it never ends";
      step();
    }
    for (int i = 0; broken_.empty() && i < 3; ++i) {  // the shell's last events change nothing
      session_->handle(SignalArrived{SIGTERM}, now_);
      if (session_->next_action(now_)) return "an action after Exit";
    }
    return broken_;
  }

  [[nodiscard]] std::size_t stored() const { return storage_.size(); }
  [[nodiscard]] std::size_t unsaved() const { return unsaved_; }
  [[nodiscard]] std::size_t events() const { return events_; }  // that the session was told

 private:
  using Job = std::function<void()>;
  static constexpr MonoTime kBegin{std::chrono::hours(1)};

  static Duration ms(std::uint64_t n) { return std::chrono::milliseconds(n); }
  static bool is_other(const std::string& path) {
    return coverage::parse_file_name(path).kind == coverage::FileKind::other;
  }
  static bool is_meta(const std::string& path) {
    return coverage::parse_file_name(path).kind == coverage::FileKind::covmeta;
  }
  void require(bool kept, const char* promise) {
    if (!kept && broken_.empty()) broken_ = promise;
  }
  void at(MonoTime time, Job job) { agenda_.emplace(std::max(time, now_), std::move(job)); }

  SessionOptions make_options() {
    SessionOptions options;
    options.storage = pick_(16) == 1 ? "" : "gs://bucket";
    options.coverdir = "/cov";
    if (pick_(4) == 1) options.scope = coverage::ReadySet::Scope::coverage_only;
    options.grace = ms(std::array{10'000U, 30'000U, 1'000U, 300U, 0U}[pick_(5)]);
    options.upload_timeout = ms(std::array{60'000U, 5'000U, 500U, 0U}[pick_(4)]);
    options.jitter = ms(pick_(1001));
    if (pick_(4) == 1) options.stop_signal = SIGINT;
    options.fail_on_upload_error = pick_(2) == 1;
    options.seed = pick_(1000);
    return options;
  }

  // ---- What the app and its surroundings will do ----

  void plan() {
    const std::string hash = "0123456789abcdef0123456789abcdef";
    const auto counters = [&](std::uint64_t n) {
      return "covcounters." + hash + "." + std::to_string(7 + n % 3) + "." + std::to_string(n);
    };
    for (std::uint64_t left = pick_(4), n = 0; n < left; ++n) {  // leftovers
      const std::string path = n == 0 ? "old.log" : counters(n);
      disk_[path] = {path, 5 + n, 1};
      if (pick_(2) == 1) earlier_[path] = disk_[path];
    }
    const MonoTime exit = now_ + ms(pick_(2) == 0 ? pick_(3000) : pick_(40'000));
    if (pick_(8) != 1) writes_at(now_ + ms(pick_(300)), "covmeta." + hash);
    if (pick_(8) == 1)
      writes_at(now_ + ms(pick_(5000)), "covmeta." + hash);  // it starts itself anew
    for (std::uint64_t files = pick_(pick_(8) == 1 ? 40 : 5), n = 0; n < files; ++n) {
      const MonoTime time = now_ + ms(pick_(4000));
      writes_at(time < exit ? time : exit, pick_(4) == 1 ? "app.log" : counters(100 + n));
    }
    if (pick_(4) != 1) writes_at(exit, counters(50));
    at(exit, [this] { child_exits(); });

    MonoTime gone = exit;
    for (std::uint64_t orphans = pick_(3) == 1 ? 1 + pick_(3) : 0, n = 0; n < orphans; ++n) {
      const MonoTime time = exit + ms(pick_(2) == 0 ? pick_(900) : pick_(4000));
      writes_at(time, pick_(2) == 0 ? counters(500 + n) : "app.log");
      gone = std::max(gone, time);
    }
    if (pick_(4) != 1) {
      at(gone, [this] {
        gone_at_ = now_;
        tell(DescendantsGone{});
      });
    }
    for (std::uint64_t signals = pick_(3) == 1 ? 1 + pick_(5) : 0; signals > 0; --signals) {
      const int number = std::array{SIGTERM, SIGINT, SIGHUP, SIGQUIT}[pick_(4)];
      const MonoTime time = pick_(2) == 0 ? now_ + ms(pick_(3000)) : exit + ms(pick_(4000));
      at(time, [this, number] { signal(number); });
    }
  }

  void writes_at(MonoTime time, const std::string& path) {
    at(time, [this, path] {
      FileEntry& file = disk_[path];
      const bool same_size = is_meta(path) || pick_(4) == 1;
      file = {path, same_size && file.size > 0 ? file.size : file.size + 10 + pick_(50), ++mtime_};
      if (watch_closed_) return;
      const FileEntry seen = file;
      if (lossy_ && pick_(3) == 1) {
        if (pick_(2) == 1) at(now_ + ms(pick_(50)), [this] { tell(EventsLost{}); });
        return;
      }
      for (std::uint64_t copies = pick_(8) == 1 ? 2 : 1; copies > 0; --copies) {
        at(now_ + ms(pick_(20)), [this, seen] {
          if (!watch_closed_) told({seen}), tell(FileFinished{seen});
        });
      }
    });
  }

  void child_exits() {
    if (pick_(8) == 1) signal(SIGHUP);  // in the same moment
    child_status_ = ExitStatus::exited(static_cast<int>(pick_(3)));
    exit_at_ = now_;
    if (!stop_until_) {
      limit_ = now_ + options_.upload_timeout;
    } else {
      limit_ = now_ < *stop_until_ ? *stop_until_ : now_ + options_.grace;
    }
    meta_known_at_exit_ =
        std::ranges::any_of(told_, [](const auto& t) { return is_meta(t.first); });
    to_forward_.clear();
    tell(ChildExited{*child_status_});
  }

  // The budget as the issue words it, written down a second time.
  void signal(int number) {
    const bool stop = number == SIGTERM || number == SIGINT;
    const Duration grace = std::max(options_.grace - ms(500), options_.grace / 2);
    if (!exit_at_) {
      if (stop && (!stop_until_ || now_ >= *stop_until_)) stop_until_ = now_ + grace;
      const bool rewritten = number == SIGTERM && options_.stop_signal;
      to_forward_.push_back(rewritten ? *options_.stop_signal : number);
    } else if (stop) {
      limit_ = std::min(*limit_, now_ + grace);
      ++late_stops_;
    }
    if (exit_at_ && (number == SIGQUIT || late_stops_ >= 3)) forced_ = true;
    tell(SignalArrived{number});
  }

  // ---- What the session is told, and what it does ----

  void told(const std::vector<FileEntry>& files) {
    if (exited_ || forced_ || options_.storage.empty()) return;
    for (const FileEntry& file : files) {
      if (is_other(file.path) &&
          (!exit_at_ || watch_closed_ ||  // after the last look only coverage is waited for
           options_.scope != coverage::ReadySet::Scope::everything))
        continue;
      const auto before = earlier_.find(file.path);
      if (before != earlier_.end() && before->second == file) continue;
      told_[file.path] = file;
    }
  }

  void tell(const Event& event) {
    if (exited_) return;
    ++events_;
    session_->handle(event, now_);
  }

  void step() {
    const auto timer = session_->deadline();
    if (!timer && agenda_.empty()) return require(false, "it waits for nothing");
    MonoTime next = agenda_.empty() ? *timer : agenda_.begin()->first;
    if (timer && *timer <= next) next = *timer + (slow_ ? ms(pick_(200)) : Duration{});
    now_ = std::max(now_, next);
    // All events of this moment may come before the session can act.
    do {
      if (agenda_.empty() || agenda_.begin()->first > now_) break;
      const Job job = std::move(agenda_.begin()->second);
      agenda_.erase(agenda_.begin());
      job();
    } while (pick_(2) == 1);
    pump();
  }

  void pump() {
    for (int actions = 0; broken_.empty(); ++actions) {
      if (actions == 2'000) return require(false, "a busy loop");
      auto action = session_->next_action(now_);
      if (!action) break;
      require(!exited_, "an action after Exit");
      std::visit([this](const auto& a) { perform(a); }, *action);
    }
    const auto timer = session_->deadline();
    if (exited_) return require(!timer, "a timer after Exit");
    require(!timer || *timer > now_, "a timer in the past");
    require(!limit_ || now_ < *limit_, "it goes on after the budget's deadline");
    require(!forced_, "it goes on although told to end at once");
    require(exit_at_ || to_forward_.empty(), "a signal was not forwarded");
    if (is_idle()) require(!timer, "a timer although nothing is to do");
  }

  // The app runs, and nothing that the session knows of is undone.
  [[nodiscard]] bool is_idle() const {
    if (exit_at_ || listing_ || !running_.empty()) return false;
    if (now_ < kBegin + Session::kFirstLook) return false;
    for (const auto& [path, file] : told_) {
      const auto done = done_.find(path);
      if (done == done_.end()) return false;
      if (done->second != file && !(is_meta(path) && done->second.size == file.size)) return false;
    }
    return true;
  }

  void perform(const ForwardSignal& action) {
    require(!exit_at_, "a signal for a child that was reaped");
    require(!to_forward_.empty() && to_forward_.front() == action.signal,
            "another signal forwarded");
    if (!to_forward_.empty()) to_forward_.erase(to_forward_.begin());
  }

  void perform(const ListFolder&) {
    require(!listing_, "two listings at once");
    listing_ = true;
    listed_.clear();
    for (const auto& [path, file] : disk_) listed_.push_back({file});
    const Duration delay = slow_ ? ms(pick_(400)) : Duration{};
    at(now_ + delay, [this, files = listed_] {
      listing_ = false;
      answered_after_exit_ = exit_at_.has_value();
      told(files);
      tell(FolderListed{files});
    });
  }

  void perform(const CloseWatch&) {
    require(!watch_closed_ && exit_at_, "CloseWatch not once after the exit");
    watch_closed_ = true;
  }

  void perform(const StartUpload& action) {
    require(running_.size() < upload::Queue::kParallel, "too many uploads at once");
    require(running_.emplace(action.id, action.file).second, "an upload is started twice");
    for (const auto& [id, file] : running_) {
      require(id == action.id || file.path != action.file.path, "a file is sent twice at once");
    }
    const auto jitter_over = kBegin + options_.jitter;
    require(now_ >= jitter_over || exit_at_ || stop_until_, "an upload before the jitter's end");
    upload::Outcome outcome = upload::Stored{.already_there = pick_(8) == 1};
    if (failing_ > 0 && pick_(4) < failing_) {
      upload::Failed failed{.retryable = pick_(4) != 1,
                            .reason = "HTTP 5" + std::to_string(pick_(2))};
      if (pick_(8) == 1) failed.retry_after = ms(pick_(100'000));
      failed.progressed = pick_(8) == 1;
      outcome = failed;
    }
    if (failing_ > 1 && pick_(32) == 1) return;  // it hangs
    at(now_ + ms(pick_(4) == 1 ? pick_(9000) : pick_(60)),
       [this, id = action.id, outcome] { upload_ends(id, outcome); });
  }

  void upload_ends(upload::UploadId id, const upload::Outcome& outcome) {
    if (forced_) return;  // its abort is on the way
    const auto job = running_.extract(id);
    if (!job) return;  // aborted
    const FileEntry& file = job.mapped();
    const auto* failed = std::get_if<upload::Failed>(&outcome);
    if (failed == nullptr) {
      storage_[file.path] = file;
      to_record_[file.path] = file;
    }
    if (failed == nullptr || !failed->retryable) done_[file.path] = file;
    tell(UploadFinished{id, outcome});
  }

  void perform(const AbortUpload& action) {
    require(running_.erase(action.id) == 1, "an abort of what doesn't run");
    aborted_ = true;
  }

  void perform(const Prepare&) {
    require(stop_until_ && !exit_at_, "prepared without a stop signal for the app");
    require(!told_.empty(), "prepared for nothing");
  }

  void perform(const RecordUploaded& action) {
    const auto stored = to_record_.extract(action.file.path);
    require(stored && stored.mapped() == action.file, "a note of what isn't stored");
  }

  void perform(const WriteLog& action) {
    if (action.record.severity == Severity::debug || !exit_at_) return;
    last_line_ = action.record.message;
  }

  void perform(const Exit& action) {
    exited_ = true;
    require(exit_at_.has_value(), "it ends before the child");
    if (!exit_at_) return;
    require(running_.empty(), "an upload runs on after Exit");
    require(to_record_.empty(), "a stored file has no note");
    if (!options_.storage.empty()) check_files();
    int code = child_status_->shell_code();
    if (code == 0 && options_.fail_on_upload_error && unsaved_ > 0) code = kExitOwnError;
    require(action.status.shell_code() == code, "another exit code");
  }

  // Every file that it knew of is stored or counted as not, and what wasn't tried in vain is named.
  void check_files() {
    const bool warned = last_line_.find(" not uploaded to ") != std::string::npos;
    std::size_t counted = 0;
    if (warned) {
      unsaved_ = std::stoul(last_line_);
      counted = std::stoul(last_line_.substr(last_line_.find(" of ") + 4));
    } else if (last_line_.starts_with("uploaded ")) {
      counted = std::stoul(last_line_.substr(9));
    }
    require(counted == told_.size(), "the last line counts other files than it was told of");
    require((unsaved_ > 0) == warned, "a warning about nothing");
    for (const auto& [path, file] : told_) {
      if (storage_.contains(path)) continue;
      require(warned, "a lost file");
      require(unsaved_ > 5 || last_line_.find(path) != std::string::npos,
              "a file that isn't named");
    }
    if (forced_ || now_ >= *limit_) return;
    require(!aborted_, "an upload was aborted although there was time");
    require(answered_after_exit_, "no listing after the exit");
    for (const FileEntry& file : listed_) {  // the end came by itself: nothing on disk is missing
      if (is_other(file.path) && options_.scope != coverage::ReadySet::Scope::everything) continue;
      const auto before = earlier_.find(file.path);
      if (before != earlier_.end() && before->second == file) continue;
      if (is_other(file.path) && !told_.contains(file.path) && !all_was_written_in_time()) continue;
      require(told_.contains(file.path), "a file that the last listing held is unknown");
      if (!all_was_written_in_time() || warned) continue;
      const FileEntry& there = storage_[file.path];
      require(there == file || (is_meta(file.path) && there.size == file.size), "a stale copy");
    }
  }

  [[nodiscard]] bool all_was_written_in_time() const {
    if (!gone_at_) return false;
    return *gone_at_ <= *exit_at_ ||
           (meta_known_at_exit_ && *gone_at_ < *exit_at_ + Session::kDescendantsWait);
  }

  Pick pick_;
  MonoTime now_ = kBegin;
  SessionOptions options_;
  bool lossy_ = false;         // file events get lost
  std::uint64_t failing_ = 0;  // how often uploads fail, of 4
  bool slow_ = false;          // listings and timers come late
  std::optional<Session> session_;
  std::multimap<MonoTime, Job> agenda_;
  std::string broken_;

  std::int64_t mtime_ = 1;
  std::map<std::string, FileEntry> disk_;
  std::map<std::string, FileEntry> earlier_;  // in the ledger
  std::map<std::string, FileEntry> told_;     // wanted files that the session knows: newest version
  std::map<std::string, FileEntry> done_;     // stored or refused for good: that version
  std::map<std::string, FileEntry> storage_;  // what is in the bucket
  std::map<std::string, FileEntry> to_record_;  // stored, not yet noted
  std::map<upload::UploadId, FileEntry> running_;
  std::vector<FileEntry> listed_;  // by the newest listing
  std::vector<int> to_forward_;
  bool listing_ = false;
  bool answered_after_exit_ = false;
  bool watch_closed_ = false;
  bool aborted_ = false;
  bool forced_ = false;
  bool exited_ = false;
  bool meta_known_at_exit_ = false;
  int late_stops_ = 0;
  std::optional<MonoTime> stop_until_;
  std::optional<MonoTime> exit_at_;
  std::optional<MonoTime> gone_at_;
  std::optional<MonoTime> limit_;
  std::optional<ExitStatus> child_status_;
  std::string last_line_;
  std::size_t unsaved_ = 0;
  std::size_t events_ = 0;
};

}  // namespace integcov::supervise::testing
