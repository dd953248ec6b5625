// A world around a Session: it performs the actions with faults that `pick` chooses, and says which
// promise of the session was broken. Without gtest: the simulation and a fuzzer share it.
#pragma once

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
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
    create_only_ = pick_(8) == 1;
    closed_ = pick_(8) == 1;
    clocks_agree_ = pick_(4) != 1;
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
  [[nodiscard]] std::size_t folded() const { return folded_; }
  [[nodiscard]] std::size_t missed() const { return missed_; }
  // Of folds: which waited, and which of these were known by what had started.
  [[nodiscard]] std::size_t undecided() const { return ever_undecided_; }
  [[nodiscard]] std::size_t known_by_starts() const { return known_by_starts_; }
  [[nodiscard]] std::size_t events() const { return events_; }  // that the session was told

 private:
  using Job = std::function<void()>;
  static constexpr MonoTime kBegin{std::chrono::hours(1)};

  static Duration ms(std::uint64_t n) { return std::chrono::milliseconds(n); }
  static bool is_other(const std::string& path) {
    return coverage::parse_file_name(path).kind == coverage::FileKind::other;
  }
  static bool is_counters(const std::string& path) {
    return coverage::parse_file_name(path).kind == coverage::FileKind::covcounters;
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
    options.start_ns = wall(kBegin);
    options.run_start_ns = wall(kBegin - ms(2000));
    options.shared_folder = pick_(16) == 1;
    options.flush.mode = std::array{config::FlushMode::off, config::FlushMode::automatic,
                                    config::FlushMode::signal, config::FlushMode::memory}[pick_(4)];
    options.flush.interval = ms(std::array{0U, 700U, 3'000U, 30'000U}[pick_(4)]);
    options.flush.wait = ms(300);
    return options;
  }

  // ---- What the app and its surroundings will do ----

  // A process of the app's: its image counts up, and each file holds all that it has counted.
  struct Process {
    std::uint32_t pid = 0;
    int image = 0;
    std::uint64_t count = 0;
    bool alive = false;
    bool handler = false;
    int born = 0;      // its first image
    MonoTime began{};  // its image
    MonoTime start = kBegin;
  };
  struct Content {
    int image = 0;
    std::uint64_t count = 0;
  };

  static constexpr const char* kHash = "0123456789abcdef0123456789abcdef";
  static std::string meta_path() { return std::string("covmeta.") + kHash; }
  static std::int64_t wall(MonoTime time) { return time.time_since_epoch().count(); }
  static std::uint64_t tick(MonoTime time) {
    return static_cast<std::uint64_t>(wall(time)) / 10'000'000;
  }
  std::int64_t wall_now() { return last_ns_ = std::max(last_ns_ + 1, wall(now_)); }

  void start_image(MonoTime time, Process& process) {
    starts_.push_back(time);
    at(time, [this, &process] {
      process.image = ++last_image_;
      process.began = now_;
      if (process.born == 0) process.born = process.image;
      if (process.pid != main_.pid && process.born == process.image) process.start = now_;
      process.count = 0;
      process.alive = true;
    });
    const MonoTime made = time + ms(pick_(3));
    at(made, [this] {  // Go's runtime has begun
      const bool overflow = lossy_ && pick_(3) == 1;
      if (overflow) return watch_sees([this] { return StartsWatched{tick(now_), wall(now_)}; });
      const auto said = static_cast<std::uint64_t>(wall_now());
      watch_sees(
          [this, said] { return ImageStarting{kHash, {.tick = tick(now_), .time_ns = said}}; });
    });
    at(made + ms(pick_(2)), [this] {
      ++meta_inode_;
      write(meta_path());
    });
  }

  // What Go does at its exit, and a handler when asked.
  std::string write_counters(Process& process) {
    process.count += pick_(3);
    const std::string path = std::string("covcounters.") + kHash + '.' +
                             std::to_string(process.pid) + '.' + std::to_string(wall_now());
    contents_[path] = {process.image, process.count};
    truth_[process.image] = process.count;
    write(path);
    return path;
  }

  // A start within a tick of the file's time would leave open which image wrote it.
  MonoTime apart_from_starts(MonoTime time) const {
    for (const MonoTime start : starts_) {
      if (time < start + ms(15) && start < time + ms(15)) time = start + ms(15);
    }
    return time;
  }

  void live(Process& process, MonoTime begin, MonoTime end, bool good_end) {
    for (std::uint64_t n = pick_(pick_(8) == 1 ? 20 : 4); n > 0; --n) {
      const MonoTime time = apart_from_starts(begin + ms(pick_(4000)));
      at(time, [this, &process, time, end] {
        if (process.alive && time < end) write_counters(process);
      });
    }
    if (good_end) {
      at(end, [this, &process] { write_counters(process); });
    }
    at(end, [&process] { process.alive = false; });
  }

  void plan() {
    const auto leftover = [&](std::uint64_t n) {
      return std::string("covcounters.") + kHash + '.' + std::to_string(7 + n % 3) + '.' +
             std::to_string(n);
    };
    for (std::uint64_t left = pick_(4), n = 0; n < left; ++n) {
      // Some are of a run that ended just now, perhaps with the pid that the program has.
      const bool fresh = pick_(2) == 1;
      const std::int64_t time =
          fresh ? wall(kBegin) - 1 - static_cast<std::int64_t>(pick_(3)) * 1'000'000
                : static_cast<std::int64_t>(n);
      const std::string path = n == 0 ? "old.log" : leftover(static_cast<std::uint64_t>(time));
      disk_[path] = {path, 5 + n, fresh ? wall(kBegin) : 1};
      contents_[path] = {-static_cast<int>(n), 0};
      if (pick_(2) == 1) earlier_[path] = disk_[path];
    }
    const MonoTime exit = now_ + ms(50 + (pick_(2) == 0 ? pick_(3000) : pick_(40'000)));
    main_.pid = 7;
    main_.alive = true;
    main_.handler = pick_(3) == 1;
    if (pick_(8) != 1) {
      const MonoTime start = now_ + ms(pick_(20));
      start_image(start, main_);
      const bool execs = pick_(8) == 1;
      const MonoTime again = start + ms(30 + pick_(5000));
      if (execs && again + ms(30) < exit) {
        start_image(again, main_);
      }
      for (std::uint64_t children = pick_(3) == 1 ? 1 + pick_(3) : 0; children > 0; --children) {
        const auto pid = static_cast<std::uint32_t>(8 + pick_(2));  // pids are taken anew
        Process& child = children_.emplace_back(Process{.pid = pid});
        const MonoTime born = start + ms(20 + pick_(3000));
        const MonoTime dies = born + ms(40 + pick_(3000));
        if (dies >= exit || pid_taken(pid, born, dies)) continue;
        start_image(born, child);
        lives_.push_back({&child, born, dies});
      }
      for (const auto& life : lives_) {
        live(*life.process, life.born, apart_from_starts(life.dies), pick_(4) != 1);
      }
      const bool orphans = pick_(4) == 1;
      for (std::uint64_t n = orphans ? 1 + pick_(2) : 0; n > 0; --n) {
        Process& orphan =
            children_.emplace_back(Process{.pid = static_cast<std::uint32_t>(20 + n), .image = 0});
        const MonoTime born = exit - ms(20);
        if (born <= start + ms(20)) continue;
        start_image(born, orphan);
        const MonoTime dies = exit + ms(20 + (pick_(2) == 0 ? pick_(900) : pick_(4000)));
        at(dies, [this, &orphan] { write_counters(orphan); });
        at(dies, [&orphan] { orphan.alive = false; });
        gone_ = std::max(gone_, dies);
      }
      live(main_, start, apart_from_starts(exit), pick_(4) != 1);
    }
    if (!closed_ && !options_.shared_folder && pick_(6) == 1) plan_left_running(exit);
    for (std::uint64_t logs = pick_(3) == 1 ? 1 + pick_(3) : 0; logs > 0; --logs) {
      at(std::min(now_ + ms(pick_(4000)), exit), [this] { write("app.log"); });
    }
    const MonoTime end = apart_from_starts(exit);
    at(end, [this] {
      main_.alive = false;
      child_exits();
    });
    gone_ = std::max(gone_, end);
    if (pick_(4) != 1) {
      at(gone_, [this] {
        gone_at_ = now_;
        tell(DescendantsGone{});
      });
    }
    for (std::uint64_t signals = pick_(3) == 1 ? 1 + pick_(5) : 0; signals > 0; --signals) {
      const int number = std::array{SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1}[pick_(5)];
      const MonoTime time = pick_(2) == 0 ? now_ + ms(pick_(3000)) : exit + ms(pick_(4000));
      at(time, [this, number] { signal(number); });
    }
  }

  // A process of an earlier run, whose supervisor was killed: not a descendant, and it writes more.
  void plan_left_running(MonoTime exit) {
    left_ = {.pid = 30, .image = ++last_image_, .count = 1 + pick_(3), .alive = true};
    left_.began = left_.start = kBegin - ms(6000);
    if (pick_(4) != 1) {
      options_.watched_since = tick(kBegin) - 1;
      watching_ = true;
    }
    const std::int64_t time = wall(kBegin - ms(5000));
    disk_[meta_path()] = {meta_path(), 10, time - 1};
    const std::string path = std::string("covcounters.") + kHash + ".30." + std::to_string(time);
    disk_[path] = {path, 20, time};
    contents_[path] = {left_.image, left_.count};
    truth_[left_.image] = left_.count;
    if (pick_(2) == 1) {
      earlier_[path] = disk_[path];
      objects_[path] = contents_[path];
    }
    options_.left_running.push_back({disk_[path],
                                     {.meta = {meta_inode_ = 1, time - 1},
                                      .at_ns = wall(kBegin) - 1,
                                      .image = image_text(left_),
                                      .exact = true}});
    const MonoTime dies = apart_from_starts(kBegin + ms(20 + pick_(4000)));
    live(left_, kBegin, dies, pick_(4) != 1 && dies < exit - ms(20));
    at(exit - ms(20), [this] { left_.alive = false; });
  }

  [[nodiscard]] bool pid_taken(std::uint32_t pid, MonoTime born, MonoTime dies) const {
    return std::ranges::any_of(lives_, [&](const Life& life) {
      return life.process->pid == pid && born < life.dies + ms(30) && life.born < dies + ms(30);
    });
  }

  void write(const std::string& path) {
    FileEntry& file = disk_[path];
    const bool same_size = is_meta(path) || pick_(4) == 1;
    file = {path, same_size && file.size > 0 ? file.size : file.size + 10 + pick_(50), wall_now()};
    if (lossy_ && pick_(3) == 1) {
      if (pick_(2) == 1) at(now_ + ms(pick_(50)), [this] { tell(EventsLost{}); });
      return;
    }
    for (std::uint64_t copies = pick_(8) == 1 ? 2 : 1; copies > 0; --copies) {
      watch_sees([this, path] { return file_event(path); });
    }
  }

  // The kernel keeps events in their order until they are read.
  void watch_sees(std::function<std::optional<Event>()> event) {
    if (!watching_ || watch_closed_) return;
    unread_.push_back(std::move(event));
    at(now_ + ms(pick_(20)), [this] {
      if (const auto next = read_event()) tell(*next);
    });
  }
  std::optional<Event> read_event() {
    if (unread_.empty()) return std::nullopt;
    const auto event = std::move(unread_.front());
    unread_.pop_front();
    return watch_closed_ ? std::nullopt : event();
  }
  void catch_up() {
    while (!unread_.empty()) {
      if (auto event = read_event()) answers_.push_back(*std::move(event));
    }
  }

  // As the shell does: what is there now.
  std::optional<Event> file_event(const std::string& path) {
    const auto there = disk_.find(path);
    if (there == disk_.end()) return std::nullopt;
    told({there->second});
    return FileFinished{there->second};
  }

  void child_exits() {
    if (pick_(8) == 1) signal(SIGHUP);  // in the same moment
    child_status_ = ExitStatus::exited(static_cast<int>(pick_(3)));
    exit_at_ = now_;
    if (!stop_until_) {
      limit_ = now_ + std::max(options_.upload_timeout, ms(100));
    } else {
      limit_ = now_ < *stop_until_ ? *stop_until_ : now_ + std::max(options_.grace, ms(100));
    }
    meta_known_at_exit_ =
        std::ranges::any_of(told_, [](const auto& t) { return is_meta(t.first); });
    to_forward_.clear();
    tell(ChildExited{*child_status_});
  }

  // The budget as the issue words it, written down a second time.
  void signal(int number) {
    const bool stop = number == SIGTERM || number == SIGINT;
    const Duration granted = std::max(options_.grace, ms(100));
    const Duration grace = std::max(granted - ms(500), granted / 2);
    if (!exit_at_) {
      if (stop && (!stop_until_ || now_ >= *stop_until_)) stop_until_ = now_ + grace;
      const bool rewritten = number == SIGTERM && options_.stop_signal;
      to_forward_.push_back(rewritten ? *options_.stop_signal : number);
    } else if (stop) {
      limit_ = std::min(*limit_, now_ + grace);
      ++late_stops_;
    }
    if (exit_at_ && (number == SIGQUIT || late_stops_ >= 3)) forced_ = true;
    SignalArrived arrived{number, wall_now(), false};
    if (const auto at_once = session_->passes_on(arrived)) {
      perform(ForwardSignal{*at_once});
      arrived.passed_on = true;
    }
    tell(arrived);
    // Forwarded, it makes the handler write.
    if (number == SIGUSR1 && main_.alive && main_.handler) {
      at(now_ + ms(1 + pick_(100)), [this, image = main_.image] {
        if (main_.alive && main_.image == image && image != 0) write_counters(main_);
      });
    }
  }

  // ---- What the session is told, and what it does ----

  void told(const std::vector<FileEntry>& files) {
    if (exited_ || options_.storage.empty()) return;
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
    check_leftovers();
    for (int actions = 0; broken_.empty(); ++actions) {
      if (actions == 2'000) return require(false, "a busy loop");
      while (!answers_.empty()) {
        const Event answer = std::move(answers_.front());
        answers_.pop_front();
        tell(answer);
      }
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
    const bool flushes = options_.flush.mode != config::FlushMode::off;
    // But for one more look at those who are there, which is due at once.
    const bool soon = timer && *timer <= now_ + ms(20);
    if (is_idle() && !flushes) require(!timer || soon, "a timer although nothing is to do");
  }

  // The app runs, and nothing that the session knows of is undone.
  [[nodiscard]] bool is_idle() const {
    if (exit_at_ || listing_ || !running_.empty() || !undecided_.empty()) return false;
    if (now_ < kBegin + Session::kBeforeTheWatch + Session::kFirstLook + ms(200)) return false;
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
    at(now_ + delay, [this] {
      listing_ = false;
      answered_after_exit_ = exit_at_.has_value();
      listed_.clear();
      for (const auto& [path, file] : disk_) listed_.push_back({file});
      while (!unread_.empty()) {
        if (const auto event = read_event()) tell(*event);
      }
      told(listed_);
      tell(FolderListed{listed_, tick(now_)});
    });
  }

  void perform(const OpenWatch&) {
    require(!std::exchange(opened_, true) && !exit_at_, "OpenWatch not once while the child runs");
    if (!std::exchange(watching_, true))
      answers_.emplace_back(StartsWatched{tick(now_), wall(now_)});
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
    const std::string object = action.object.empty() ? action.file.path : action.object;
    require(disk_.contains(action.file.path), "an upload of a file that it removed itself");
    sent_[action.id] = {object, contents_[action.file.path]};
    upload::Outcome outcome = upload::Stored{.already_there = pick_(8) == 1};
    if (failing_ > 0 && pick_(4) < failing_) {
      upload::Failed failed{.retryable = pick_(4) != 1,
                            .reason = "HTTP 5" + std::to_string(pick_(2))};
      if (pick_(8) == 1) failed.retry_after = ms(pick_(100'000));
      failed.progressed = pick_(8) == 1;
      outcome = failed;
    }
    if (create_only_ && objects_.contains(object) && is_counters(object)) {
      outcome = upload::Failed{.reason = "HTTP 403", .may_not_replace = true};
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
      const auto& [object, content] = sent_[id];
      objects_[object] = content;
      storage_[file.path] = file;
      to_record_[file.path] = file;
    }
    const bool again = failed != nullptr && (failed->retryable || failed->may_not_replace);
    if (!again) done_[file.path] = file;
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

  // ---- Snapshots ----

  [[nodiscard]] Process* alive(std::uint32_t pid) {
    if (main_.pid == pid && main_.alive && main_.image != 0) return &main_;
    for (Process& child : children_) {
      if (child.pid == pid && child.alive) return &child;
    }
    return nullptr;
  }

  Sighting look(std::uint32_t pid, bool left = false) {
    Sighting seen;
    if (const auto meta = disk_.find(meta_path()); meta != disk_.end()) {
      seen.meta = {meta_inode_, meta->second.mtime_ns};
    }
    const Process* process = left && pid == left_.pid && left_.alive ? &left_ : alive(pid);
    if (process != nullptr) {
      seen.image = image_text(*process);
      seen.exact = !closed_;
      if (seen.exact && clocks_agree_) seen.since_ns = wall(process->began + ms(15));
      seen.process_start = tick(process->start);
    }
    seen.at_ns = seen.until_ns = wall_now();
    return seen;
  }

  // Of processes that may not be looked into only the process is known.
  [[nodiscard]] std::string image_text(const Process& process) const {
    if (!closed_) return std::to_string(process.image);
    return std::to_string(process.pid) + ' ' + std::to_string(process.born) + " ?";
  }

  static std::uint32_t pid_of(const std::string& path) {
    return coverage::parse_file_name(path).pid;
  }

  void perform(const LookAtWriter& action) {
    answers_.emplace_back(WriterSeen{action.path, look(pid_of(action.path), action.left)});
  }

  // As the shell does it, but counts are numbers.
  void perform(const FoldSnapshot& action) {
    SnapshotFolded answer{.standing = action.standing, .appeared = action.appeared};
    answer.seen = action.seen ? *action.seen : look(pid_of(action.appeared), action.left);
    if (!disk_.contains(action.appeared)) {
      answer.fold = Fold::vanished;
    } else {
      fold(action, answer);
    }
    if (const auto there = disk_.find(action.standing); there != disk_.end()) {
      answer.file = there->second;
    }
    answers_.emplace_back(answer);
  }

  void perform(const NoteWriter& action) {
    if (action.meta.inode == 0) {
      notes_.erase(action.path);
    } else {
      notes_[action.path] = action;
    }
  }
  void perform(const RewriteNotes& action) {
    require(exit_at_.has_value(), "notes are written anew in so short a run");
    notes_.clear();
    for (const NoteWriter& note : action.notes) {
      require(!gone_at_ || pid_of(note.path) == left_.pid, "a note of who is gone");
      notes_[note.path] = note;
    }
    check_leftovers();
  }

  // Were the supervisor killed now, the next run would fold what is left by the notes alone, and by
  // who goes on.
  void check_leftovers() {
    const auto meta_file = disk_.find(meta_path());
    if (meta_file == disk_.end()) return;
    const MetaStamp meta{meta_inode_, meta_file->second.mtime_ns};
    for (const auto& [path, noted] : notes_) {
      const coverage::FileName standing = coverage::parse_file_name(path);
      const auto there = disk_.find(path);
      if (there == disk_.end()) continue;
      const Sighting now = look(standing.pid, true);
      const bool goes_on = now.exact && !noted.image.empty() && now.image == noted.image;
      if (!goes_on && !of_one_image(noted.meta, there->second.mtime_ns, meta)) continue;
      for (const auto& [later, _] : disk_) {
        const coverage::FileName name = coverage::parse_file_name(later);
        const bool folds = name.kind == standing.kind && name.pid == standing.pid &&
                           name.time_ns > standing.time_ns;
        require(!folds || contents_[later].image == contents_[path].image,
                "a leftover takes the place of another image's");
      }
    }
  }

  void fold(const FoldSnapshot& action, SnapshotFolded& answer) {
    const Content standing = contents_[action.standing];
    const Content appeared = contents_[action.appeared];
    const bool newer = action.of.time_ns > action.known.newest_ns;
    const auto counters = [](const Content& content) {
      coverage::Counters result;
      const auto count = static_cast<std::uint32_t>(content.count);
      if (count > 0) result.add(0, 0, std::span(&count, 1));
      return result;
    };
    require(!options_.shared_folder, "a fold in a folder that others use");
    const Images images = images_of(action, answer.seen);
    const Judgement judgement =
        judge(counters(standing), counters(appeared), {newer, false}, images);
    answer.fold = judgement.fold;
    answer.anew = judgement.anew;
    undecided_.erase(action.appeared);
    if (answer.fold == Fold::undecided) {
      undecided_.insert(action.appeared);
      ++ever_undecided_;
      return;
    }
    if (action.one_image) ++known_by_starts_;
    if (answer.fold == Fold::kept) {
      const bool missed = std::ranges::any_of(contents_, [&](const auto& other) {
        return other.second.image == appeared.image && other.first != action.appeared &&
               disk_.contains(other.first);
      });
      ++(missed ? missed_ : apart_);
      return;
    }
    ++folded_;
    require(standing.image == appeared.image, "a snapshot takes the place of another image's");
    told_.erase(action.appeared);
    if (answer.fold == Fold::replaced) {
      FileEntry& file = disk_[action.standing];
      const FileEntry& content = disk_[action.appeared];
      file = {action.standing, content.size, content.mtime_ns};
      contents_[action.standing] = appeared;
      told({file});
    }
    disk_.erase(action.appeared);
  }

  void perform(const FindProcesses& action) {
    require(!options_.shared_folder, "a snapshot in a folder that others use");
    require(!exit_at_, "a flush after the child's end");
    catch_up();
    ProcessesFound found;
    for (const std::string& hash : action.hashes) {
      require(hash == kHash, "a hash of no covmeta");
      found.metas[hash] = look(0).meta;
    }
    const auto add = [&](const Process& process, bool main) {
      if (process.alive) found.process_starts[process.pid] = tick(process.start);
      if (!process.alive || process.image == 0) return;
      found.processes.push_back({.pid = process.pid,
                                 .main = main,
                                 .image = image_text(process),
                                 .exact = !closed_,
                                 .handler_signal = process.handler ? SIGUSR1 : 0,
                                 .handler_error = {}});
    };
    add(main_, true);
    for (const Process& child : children_) add(child, false);
    found.end_ns = wall_now();
    answers_.emplace_back(std::move(found));
  }

  void perform(const SignalSnapshot& action) {
    Process* process = alive(action.pid);
    const SnapshotSignalled answer{
        .pid = action.pid, .sent = process != nullptr, .at_ns = wall_now()};
    if (process != nullptr && process->handler && pick_(4) != 1) {
      at(now_ + ms(1 + pick_(50)), [this, process, image = process->image] {
        if (process->alive && process->image == image) write_counters(*process);
      });
    }
    answers_.emplace_back(answer);
  }

  void perform(const ReadSnapshot& action) {
    using Result = SnapshotRead::Result;
    SnapshotRead answer{.pid = action.pid, .result = Result::not_yet, .why = {}};
    Process* process = alive(action.pid);
    const bool too_early = std::ranges::any_of(
        starts_, [&](MonoTime start) { return now_ < start + ms(15) && start <= now_ + ms(15); });
    if (process != nullptr && !too_early && !closed_) {
      answer.result = Result::unchanged;
      if (pick_(3) != 1) {
        answer.result = Result::written;
        const std::string path = write_counters(*process);
        told({disk_.at(path)});
        answer.file = disk_.at(path);
        answer.seen = look(process->pid);
      }
    }
    answers_.emplace_back(answer);
    catch_up();
  }

  void perform(const WriteStartRecord&) {
    require(!start_recorded_, "two start records");
    start_recorded_ = true;
  }

  void perform(const WriteEndRecord& action) {
    require(start_recorded_ && !end_record_ && exit_at_, "an end record at the wrong time");
    end_record_ = action.end;
  }

  // The newest object of each process, added up: what was counted.
  void check_counts() {
    if (options_.shared_folder) return;  // each of its files is for itself
    if (missed_ > 0 || unsaved_ > 0 || !all_was_written_in_time()) return;
    std::uint64_t counted = 0;
    for (const auto& [image, count] : truth_) counted += count;
    std::uint64_t told = 0;
    require(end_record_.has_value() == start_recorded_, "no end record");
    if (!end_record_) return;
    const auto is_of_the_left = [&](const EndOfRun::Process& process) {
      return objects_[process.objects.back()].image == left_.image;
    };
    // It is none of the run's unless it wrote something.
    if (std::ranges::none_of(end_record_->processes, is_of_the_left)) told += truth_[left_.image];
    for (const EndOfRun::Process& process : end_record_->processes) {
      for (const std::string& object : process.objects) {
        require(objects_.contains(object), "the end record names what isn't in storage");
      }
      told += objects_[process.objects.back()].count;
    }
    require(told == counted, "other counts in storage than the program's");
    if (create_only_) return;
    std::uint64_t in_storage = 0;
    for (const auto& [object, content] : objects_) in_storage += content.count;
    require(in_storage == counted, "plain merging counts otherwise than the program");
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
    if (!options_.storage.empty()) {
      check_files();
      if (!forced_ && now_ < *limit_) check_counts();
    }
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
    for (const FileEntry& listed : listed_) {  // the end came by itself: nothing on disk is missing
      if (!disk_.contains(listed.path)) continue;  // its content took another one's place
      const FileEntry& file = is_counters(listed.path) ? disk_[listed.path] : listed;
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
  bool closed_ = false;        // processes may not be looked into
  bool clocks_agree_ = true;   // when an image started is known
  bool lossy_ = false;         // file events get lost
  std::uint64_t failing_ = 0;  // how often uploads fail, of 4
  bool slow_ = false;          // listings and timers come late
  std::optional<Session> session_;
  std::multimap<MonoTime, Job> agenda_;
  std::string broken_;

  struct Life {
    Process* process = nullptr;
    MonoTime born;
    MonoTime dies;
  };
  Process main_;
  std::deque<Process> children_;  // their addresses stay
  std::vector<Life> lives_;
  std::vector<MonoTime> starts_;  // of images
  MonoTime gone_{};
  int last_image_ = 0;
  std::uint64_t meta_inode_ = 0;
  std::int64_t last_ns_ = 0;
  bool create_only_ = false;
  std::map<std::string, Content> contents_;  // of counters files, by path
  std::map<int, std::uint64_t> truth_;       // by image: its last count that was written
  std::map<std::string, Content> objects_;   // in storage
  std::map<upload::UploadId, std::pair<std::string, Content>> sent_;
  std::deque<Event> answers_;  // to what the shell does at once
  std::set<std::string> undecided_;
  std::size_t ever_undecided_ = 0;
  std::size_t known_by_starts_ = 0;
  std::size_t folded_ = 0;
  std::size_t missed_ = 0;  // snapshots of one image that were not recognised as such
  std::size_t apart_ = 0;   // of two images that were
  bool start_recorded_ = false;
  std::optional<EndOfRun> end_record_;

  Process left_;
  std::map<std::string, NoteWriter> notes_;
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
  bool watching_ = false;
  bool opened_ = false;
  std::deque<std::function<std::optional<Event>()>> unread_;
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
