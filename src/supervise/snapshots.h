// One file per process: the first name that was seen of a process's counters stays, and its content
// is replaced by the newest snapshot. So what is in the folder, and in storage, may be merged.
//
//   saw(first) ── LookAtWriter ──> on_looked: upload it
//   saw(next)  ── FoldSnapshot ──> on_folded: upload the first name anew | the file itself |
//   nothing
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/file_entry.h"
#include "base/time.h"
#include "coverage/ready_set.h"
#include "supervise/flush.h"
#include "supervise/fold.h"
#include "supervise/starts.h"

namespace integcov::supervise {

// A process of an earlier run, whose supervisor was killed, goes on: it wrote that file.
struct LeftRunning {
  FileEntry file;
  Sighting seen;  // exact
};

// Answer with WriterSeen: the process that the counters file names, and its covmeta.
struct LookAtWriter {
  std::string path;
  bool left = false;  // whoever has the pid, not our descendants alone
};

// Judge the file that appeared by the one that stands, do what the judgement says, and answer with
// SnapshotFolded.
struct FoldSnapshot {
  std::string standing;
  std::string appeared;
  Standing known;
  Appeared of;  // the one that appeared
  bool left = false;
  std::optional<Sighting> seen;  // the look at the writer, if it was taken already
  bool one_image = false;        // that is known
  bool may_wait = false;         // if it isn't, nor that they are two: Fold::undecided
};

// What is known of both, after a look at who has the pid.
Images images_of(const FoldSnapshot& asked, const Sighting& now);

// For a later run, should we be killed, or the writer outlive us: it was seen when that covmeta was
// there. Without an inode: nothing may take this file's place any more. No answer.
struct NoteWriter {
  std::string path;
  MetaStamp meta;
  std::string image;  // that wrote the file; empty if that isn't sure
};

// Forget the notes but these.
struct RewriteNotes {
  std::vector<NoteWriter> notes;
};

struct WriterSeen {
  std::string path;
  Sighting seen;
};

struct SnapshotFolded {
  std::string standing;
  std::string appeared;
  Fold fold = Fold::kept;
  bool wrapped = false;
  bool anew = false;  // as Judgement's
  FileEntry file;     // what stands now
  Sighting seen;
};

class Snapshots {
 public:
  // Notes beyond one per process that is remembered, before they are written anew.
  static constexpr std::size_t kMostOldNotes = 4000;
  // Processes that are remembered. Beyond that the first one that didn't run at the last look is
  // forgotten, else the first one of all: further snapshots of it get names of their own.
  static constexpr std::size_t kMostProcesses = 2000;
  // How long a file may stay undecided while more is found out about what has started since its
  // writer was seen.
  static constexpr Duration kUndecided = std::chrono::seconds(5);
  // And once the process goes on and has written another one. Were we killed while several wait,
  // each would count.
  static constexpr Duration kUndecidedFirst = std::chrono::milliseconds(300);
  // So that many files that wait, and many news, take little time.
  static constexpr Duration kBetweenDecisions = std::chrono::milliseconds(50);

  // Before the program starts. Its further files are this run's.
  void left_running(const LeftRunning& process);
  // A counters file of a process that was left running: of this run, although it may be named
  // before our program started.
  [[nodiscard]] bool expects(const coverage::FileName& name) const;
  // A counters file, one per process and time, that belongs to this run.
  void saw(const coverage::ReadyFile& file);
  // Whose memory a file is that will be seen, exact. The image had started, which is told before
  // the next request: what we need of its memory is set just before it makes its covmeta
  // (finalHash, Go src/internal/coverage/cfile/emit.go).
  void read_from(const std::string& path, Sighting memory) {
    memory.starts = starts_.count();
    memory_of_[path] = std::move(memory);
  }
  // An image of that hash has started: its writers are to be looked at again, while they are there.
  void image_started(const std::string& hash) { restarted_.insert(hash); }
  // They are, unless many were a moment ago: no more than one a millisecond.
  void look_again(MonoTime now);
  // As in supervise::Event.
  Starts& starts() { return starts_; }
  // From then on starts are told. All our descendants whose pids come after that one began later.
  // Of the first call; from then on those who run are listed.
  void watched(std::int64_t at_ns, std::uint32_t last_pid);
  // Whether some file is undecided: then it helps to know who runs.
  [[nodiscard]] bool undecided() const { return !undecided_.empty(); }
  // It helps no more: they are decided by what is known.
  void decide();
  // Who runs, and when that was found out.
  void running(const ProcessesFound& found);

  using Request = std::variant<LookAtWriter, FoldSnapshot, NoteWriter, RewriteNotes>;
  std::optional<Request> next(MonoTime now);
  [[nodiscard]] std::optional<MonoTime> deadline() const;
  // At the end: of writers that weren't seen gone, and may write after us. `none_left`: of our
  // descendants.
  [[nodiscard]] std::vector<NoteWriter> notes_of_the_living(bool none_left) const;
  // Requests that have an answer are out, or will be.
  [[nodiscard]] bool busy() const { return out_ > 0 || !due_.empty(); }

  struct Upload {
    FileEntry file;
    std::uint64_t order = 0;  // the time of its content
    std::string newest;       // the name that Go gave to its content
  };
  // What is to be uploaded for it.
  std::optional<Upload> on_looked(const WriterSeen& answer);
  std::optional<Upload> on_folded(const SnapshotFolded& answer, MonoTime now);
  // What is undecided when there is no time left, and so isn't uploaded.
  [[nodiscard]] std::vector<Upload> left_undecided() const;

 private:
  using Process = std::pair<std::uint32_t, std::string>;  // pid and hash
  struct Waiting {
    FileEntry file;
    Starts::Count by = 0;          // what had started when it was there
    std::optional<Sighting> seen;  // of its writer, while it can't be judged
  };
  // As Starts::known; 0: not known.
  struct Start {
    Starts::Count after = 0;
    Starts::Count by = 0;
    std::uint64_t of_process = 0;  // in clock ticks since boot
    bool is_known = false;         // to Starts
  };
  struct Series {
    FileEntry file;      // what stands
    std::string newest;  // the name that its content had
    Standing known;
    bool due = false;     // in due_
    bool asked = false;   // a request is out
    bool looked = false;  // at the writer, and the file was given for upload
    bool look_again = false;
    bool gone = false;                         // the image that wrote it
    bool left = false;                         // it is no descendant of ours
    std::map<std::uint64_t, Waiting> waiting;  // by time
    Start start;                               // of the image that is known
    std::optional<MonoTime> undecided_until;
    bool one_image = false;  // what waits first and what stands, as turned out later
  };

  static Process process_of(const std::string& path);
  // Who ran, as in ProcessesFound.
  struct List {
    std::int64_t end_ns = 0;
    Starts::Count starts = 0;  // that were told by then
    std::map<std::uint32_t, std::uint64_t> process_starts;
    std::uint32_t last_pid = 0;
  };
  // Its writer began its life after that list. Pids are given in their order.
  static bool began_after(const List& list, const coverage::FileName& name);
  // What had surely started before an image of the file's writer did; 0: not known.
  [[nodiscard]] Starts::Count started_before(const coverage::FileName& name) const;
  void queue(const Process& process);
  void forget_some();
  // `file` is the first of a series from now on.
  void begin(const Process& process, FileEntry file, std::uint64_t time_ns);
  static std::optional<NoteWriter> note_of(const Series& series);
  void note(const Series& series);
  // When the file of a memory was written. None has started since its covmeta got there if it is
  // there still: that was before the memory was read, and its file may have been written when
  // another image ran already.
  static std::int64_t written_ns(const Sighting& memory) { return memory.meta.changed_ns + 1; }
  // Whose memory the file is, if it is.
  std::optional<Sighting> take_memory_of(const std::string& path);
  // What `seen`, a look taken after the first file was there, tells of its writer.
  void know_writer(const Process& process, const Sighting& seen);
  // What is found out about the start of a series' image: it has started by then; it was seen.
  void has_started(const Process& process, Starts::Count by);
  void know_start(const Process& process, const Sighting& seen);
  // Of the image that was read last.
  void know_memory(const Process& process, Sighting memory);
  // Of the image whose file follows in a series of its own.
  static Start next_start(const Series& before, const Sighting& seen);
  // When the image that wrote what stands ran, in the order of starts.
  static bool knows_last_look(const Series& series);
  // Whether what waits first was written by the image that was seen last.
  [[nodiscard]] bool wrote_what_waits(const Process& process) const;
  // Queues what is undecided no more.
  void decide_some(MonoTime now);
  // Of a series that is undecided: at the writer of a file behind, while it is there.
  std::optional<LookAtWriter> next_look_ahead(Series& series);
  FoldSnapshot next_fold(Series& series);

  std::set<std::string> restarted_;  // hashes
  MonoTime looks_from_ = MonoTime::min();
  std::map<Process, Series> series_;
  std::deque<Process> by_age_;
  std::deque<Process> due_;
  Starts starts_;
  std::set<Process> undecided_;
  bool news_ = false;  // that may decide them
  MonoTime decide_from_ = MonoTime::min();
  std::deque<NoteWriter> notes_;
  std::size_t noted_ = 0;                                 // since they were written anew
  std::map<std::string, Sighting> memory_of_;             // by path, until it is looked into
  std::map<std::uint32_t, ProcessesFound::Process> ran_;  // the last time that was found out
  std::map<std::string, MetaStamp> metas_;                // as in ProcessesFound
  List list_;                                             // of the last time
  List list_before_;
  std::size_t out_ = 0;
};

}  // namespace integcov::supervise
