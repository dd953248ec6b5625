#include "supervise/run_record.h"

#include "base/encoding.h"
#include "base/log_format.h"

namespace integcov::supervise {
namespace {

// A JSON object under construction.
class Members {
 public:
  Members& raw(std::string_view key, const std::string& value) {
    text_ += (text_.empty() ? "" : ",") + json_quote(key) + ":" + value;
    return *this;
  }
  Members& string(std::string_view key, std::string_view value) {
    return value.empty() ? *this : raw(key, json_quote(value));
  }
  [[nodiscard]] std::string object() const { return "{" + text_ + "}"; }

 private:
  std::string text_;
};

std::string program(const RunFacts::Program& program) {
  return Members()
      .string("path", program.path)
      .string("go_version", program.go_version)
      .string("module", program.module)
      .string("module_version", program.module_version)
      .string("vcs_revision", program.revision)
      .string("vcs_modified", program.modified)
      .object();
}

Members common(const RunFacts& facts, std::string_view state) {
  Members metadata;
  for (const auto& [key, value] : facts.metadata) metadata.string(key, value);
  Members members;
  members.raw("format", "1")
      .string("run", facts.run)
      .string("state", state)
      .string("started", format_rfc3339(facts.started))
      .string("go_integcov", facts.version)
      .raw("metadata", metadata.object())
      .raw("program", program(facts.program));
  return members;
}

std::string process(const EndOfRun::Process& process) {
  std::string objects;
  for (const std::string& object : process.objects) {
    objects += (objects.empty() ? "" : ",") + json_quote(object);
  }
  return Members()
      .raw("pid", std::to_string(process.pid))
      .string("covmeta", "covmeta." + process.hash)
      .raw("objects", "[" + objects + "]")
      .object();
}

}  // namespace

std::string start_record(const RunFacts& facts) { return common(facts, "running").object() + "\n"; }

std::string end_record(const RunFacts& facts, const EndOfRun& end, WallTime ended) {
  std::string processes;
  for (const EndOfRun::Process& p : end.processes) {
    processes += (processes.empty() ? "" : ",") + process(p);
  }
  const std::string status = std::to_string(end.status.value);
  return common(facts, "ended")
             .string("ended", format_rfc3339(ended))
             .raw("exit_status",
                  Members().raw(end.status.signaled ? "signal" : "code", status).object())
             .string("flush", end.flush)
             .raw("processes", "[" + processes + "]")
             .raw("complete", end.complete ? "true" : "false")
             .object() +
         "\n";
}

}  // namespace integcov::supervise
