// Drives a Session as the shell does, with a clock that the test sets and a folder that is a list.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "supervise/session.h"

namespace integcov::supervise::testing {

inline constexpr MonoTime kStart{std::chrono::hours(1)};

inline SessionOptions default_options() {
  SessionOptions options;
  options.storage = "gs://bucket/folder";
  options.coverdir = "/cov";
  options.between_versions = Duration::zero();
  options.flush.mode = config::FlushMode::off;
  return options;
}

// The defaults, changed.
template <class Change>
SessionOptions with(Change change) {
  SessionOptions options = default_options();
  change(options);
  return options;
}

using Lines = std::vector<std::string>;

inline const std::string kHash = "0123456789abcdef0123456789abcdef";
inline const std::string kMeta = "covmeta." + kHash;
inline const std::string kCounters = "covcounters." + kHash + ".7.100";
inline const std::string kLater = "covcounters." + kHash + ".8.200";

class Driver {
 public:
  enum class Begin { with_the_watch, at_the_start };

  explicit Driver(SessionOptions options = default_options(), std::vector<FileEntry> folder = {},
                  const std::vector<FileEntry>& earlier = {}, Begin begin = Begin::with_the_watch)
      : session_(std::move(options),
                 begin == Begin::at_the_start ? kStart : kStart - Session::kBeforeTheWatch) {
    for (FileEntry& file : folder) appears(std::move(file));
    for (const FileEntry& file : earlier) session_.already_uploaded(file);
  }

  // Performs what there is to do; listings are answered at once unless answers_listings is false.
  void pump() {
    for (int steps = 0;; ++steps) {
      ASSERT_LT(steps, 10'000) << "a busy loop";
      auto action = session_.next_action(now_);
      if (!action) break;
      perform(*std::move(action));
    }
    const auto deadline = session_.deadline();
    ASSERT_TRUE(!deadline || *deadline > now_) << "a timer in the past";
  }

  void tell(const Event& event) {
    session_.handle(event, now_);
    pump();
  }
  // Without a chance to act in between.
  void tell_unpumped(const Event& event) { session_.handle(event, now_); }

  // Time passes; the session is asked whenever it wanted to be.
  void wait(Duration duration) {
    const MonoTime end = now_ + duration;
    pump();
    for (auto at = session_.deadline(); at && *at <= end; at = session_.deadline()) {
      now_ = *at;
      pump();
    }
    now_ = end;
    pump();
  }

  [[nodiscard]] std::optional<int> passes_on(const SignalArrived& signal) const {
    return session_.passes_on(signal);
  }
  void signal(int number) { signal(SignalArrived{number}); }
  void signal(SignalArrived arrived) {
    if (const auto at_once = session_.passes_on(arrived)) {
      actions_.emplace_back(ForwardSignal{*at_once});
      arrived.passed_on = true;
    }
    tell(arrived);
  }
  void child_exits(int code) { tell(ChildExited{ExitStatus::exited(code)}); }
  void child_is_killed(int number) { tell(ChildExited{ExitStatus::killed_by(number)}); }
  void descendants_go() { tell(DescendantsGone{}); }
  // The child ends and has left no other process.
  void app_ends(int code) {
    tell_unpumped(ChildExited{ExitStatus::exited(code)});
    descendants_go();
  }

  // A file is there, but no event says so.
  void appears(FileEntry file) {
    std::erase_if(folder_, [&](const FileEntry& other) { return other.path == file.path; });
    folder_.push_back(std::move(file));
  }
  void writes_version(FileEntry file) {
    appears(file);
    tell(FileFinished{std::move(file)});
  }
  void writes(const std::string& path) { writes_version({path, 10, 1}); }
  void answer_listing() { tell(FolderListed{folder_}); }
  [[nodiscard]] const std::vector<FileEntry>& folder() const { return folder_; }

  void store(upload::UploadId id) { tell(UploadFinished{id, upload::Stored{}}); }
  void fail(upload::UploadId id, std::string reason = "HTTP 503") {
    tell(UploadFinished{id, upload::Failed{.retryable = true, .reason = std::move(reason)}});
  }
  void vanish(upload::UploadId id) { tell(UploadFinished{id, upload::Vanished{}}); }
  void refuse(upload::UploadId id, std::string reason = "HTTP 403") {
    tell(UploadFinished{id, upload::Failed{.retryable = false, .reason = std::move(reason)}});
  }

  // The oldest action not yet expected, log lines and answered listings aside.
  template <class A>
  A expect() {
    pump();
    if (actions_.empty()) {
      ADD_FAILURE() << "no action left";
      return {};
    }
    const Action action = std::move(actions_.front());
    actions_.pop_front();
    if (const A* wanted = std::get_if<A>(&action)) return *wanted;
    ADD_FAILURE() << "another action: number " << action.index() << " of Action";
    return {};
  }
  upload::UploadId expect_upload(const std::string& path) {
    const auto started = expect<StartUpload>();
    EXPECT_EQ(started.file.path, path);
    return started.id;
  }
  void expect_recorded(const std::string& path) {
    EXPECT_EQ(expect<RecordUploaded>().file.path, path);
  }
  void expect_forwarded(int signal) { EXPECT_EQ(expect<ForwardSignal>().signal, signal); }
  void expect_exit(int code) {
    EXPECT_EQ(expect<Exit>().status.shell_code(), code);
    expect_nothing();
    EXPECT_EQ(session_.deadline(), std::nullopt);
  }
  void expect_nothing() {
    pump();
    EXPECT_EQ(actions_.size(), 0U);
  }
  // Uploads it, from its start to its note in the ledger.
  void expect_stored(const std::string& path) {
    store(expect_upload(path));
    expect_recorded(path);
  }

  // Log lines of at least info, since the last call.
  std::vector<std::string> lines() { return std::exchange(lines_, {}); }
  [[nodiscard]] std::optional<Duration> next_look() const {
    const auto deadline = session_.deadline();
    return deadline ? std::optional(*deadline - now_) : std::nullopt;
  }
  [[nodiscard]] Duration elapsed() const { return now_ - kStart; }

  // What a look at a writer sees, and what a fold does.
  std::function<Sighting(const std::string& path)> sight = [](const std::string& path) {
    return Sighting{.meta = {.inode = 1, .changed_ns = 1},
                    .at_ns = 2,
                    .image = "image " + std::to_string(coverage::parse_file_name(path).pid),
                    .exact = true};
  };
  Fold fold = Fold::kept;
  int looks = 0;           // at writers
  int notes = 0;           // of them
  FoldSnapshot last_fold;  // that was asked for
  std::vector<EndOfRun> end_records;
  int start_records = 0;

  bool answers_listings = true;
  int listings = 0;
  int prepared = 0;
  int watches = 0;  // opened

 private:
  void perform(Action action) {
    if (std::holds_alternative<ListFolder>(action)) {
      ++listings;
      if (answers_listings) {
        session_.handle(FolderListed{folder_}, now_);
      } else {
        actions_.push_back(std::move(action));
      }
    } else if (std::holds_alternative<OpenWatch>(action)) {
      ++watches;
    } else if (std::holds_alternative<Prepare>(action)) {
      ++prepared;
    } else if (const auto* look = std::get_if<LookAtWriter>(&action)) {
      ++looks;
      session_.handle(WriterSeen{look->path, sight(look->path)}, now_);
    } else if (const auto* asked = std::get_if<FoldSnapshot>(&action)) {
      perform_fold(*asked);
    } else if (std::holds_alternative<NoteWriter>(action)) {
      ++notes;
    } else if (std::holds_alternative<RewriteNotes>(action)) {
      notes = static_cast<int>(std::get<RewriteNotes>(action).notes.size());
    } else if (std::holds_alternative<WriteStartRecord>(action)) {
      ++start_records;
    } else if (auto* record = std::get_if<WriteEndRecord>(&action)) {
      end_records.push_back(std::move(record->end));
    } else if (const auto* log = std::get_if<WriteLog>(&action)) {
      if (log->record.severity != Severity::debug) lines_.push_back(log->record.message);
    } else {
      actions_.push_back(std::move(action));
    }
  }

  void perform_fold(const FoldSnapshot& asked) {
    last_fold = asked;
    SnapshotFolded answer{.standing = asked.standing, .appeared = asked.appeared, .fold = fold};
    answer.seen = sight(asked.appeared);
    const auto at = [&](const std::string& path) {
      return std::ranges::find(folder_, path, &FileEntry::path);
    };
    if (fold == Fold::replaced) {
      const FileEntry content = *at(asked.appeared);
      *at(asked.standing) = {asked.standing, content.size, content.mtime_ns};
    }
    if (fold != Fold::kept && fold != Fold::unreadable && at(asked.appeared) != folder_.end()) {
      folder_.erase(at(asked.appeared));
    }
    answer.file = *at(asked.standing);
    session_.handle(answer, now_);
  }

  MonoTime now_ = kStart;
  Session session_;
  std::vector<FileEntry> folder_;
  std::deque<Action> actions_;
  std::vector<std::string> lines_;
};

}  // namespace integcov::supervise::testing
