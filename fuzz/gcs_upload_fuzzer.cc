// Arbitrary answers drive one object's upload over several attempts.
//
// The input is lines, each the next answer: "STATUS", "STATUS Header: value", "STATUS {body}", or
// one of the words below. The first line may be "small", "large" or "chunks N", then " shared" for
// a look first, " newer" for a version that replaces another (" newer known": under generation 7),
// then "meta".
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/encoding.h"
#include "storage/gcs/upload_machine.h"

namespace {

using namespace integcov;
using namespace integcov::storage::gcs;

constexpr std::uint64_t kQuantum = 256 << 10;
constexpr std::uint64_t kSize = 6 * kQuantum + 1;
constexpr int kMaxSteps = 200;  // requests in one attempt

void require(bool condition) {
  if (!condition) __builtin_trap();
}

std::string_view take_line(std::string_view& input) {
  const auto end = input.find('\n');
  const std::string_view line = input.substr(0, end);
  input.remove_prefix(end == std::string_view::npos ? input.size() : end + 1);
  return line;
}

// "lost", "stale" (on a connection that was open before), "late" and "unsent" are transport errors
// with the rest of the line as message; everything else is a response. "ours" stands for an object
// resource like the file.
http::Reply to_reply(std::string_view line, const ObjectSpec& spec) {
  if (line.starts_with("lost")) return http::TransportError{std::string(line.substr(4))};
  if (line.starts_with("stale")) {
    return http::TransportError{std::string(line.substr(5)), true, true, true};
  }
  if (line.starts_with("late")) {
    return http::TransportError{std::string(line.substr(4)), true, true, false, true};
  }
  if (line.starts_with("unsent")) {
    return http::TransportError{std::string(line.substr(6)), true, false, false};
  }
  http::Response response;
  if (line.starts_with("ours")) {
    response.status = 200;
    response.body = R"({"size":")" + std::to_string(spec.size) + R"(","crc32c":"AAAAAA==",)" +
                    R"("generation":"7"})";
    return response;
  }
  response.status = std::atoi(std::string(line.substr(0, 3)).c_str());
  line.remove_prefix(std::min<std::size_t>(line.size(), 4));
  const auto colon = line.find(": ");
  if (colon != std::string_view::npos && !line.starts_with('{')) {
    response.headers.emplace_back(line.substr(0, colon), line.substr(colon + 2));
  } else {
    response.body = line;
  }
  return response;
}

void check_request(const http::Request& request, const ObjectSpec& spec) {
  require(request.url.starts_with("http://") || request.url.starts_with("https://"));
  for (const char c : request.url) require(c > ' ' && c != '\x7f');
  for (const http::BodyPart& part : request.body) {
    const auto* range = std::get_if<http::FileRange>(&part);
    if (range == nullptr) continue;
    require(range->fd == 7 && range->length > 0 && range->offset < spec.size &&
            range->length <= spec.size - range->offset);
    if (request.method != "PUT") {
      require(range->offset == 0 && range->length == spec.size);
      continue;
    }
    const std::uint64_t end = range->offset + range->length;
    require(end == spec.size || range->length % kQuantum == 0);
    require(http::find_header(request.headers, "Content-Range") ==
            "bytes " + std::to_string(range->offset) + "-" + std::to_string(end - 1) + "/" +
                std::to_string(spec.size));
  }
  if (request.method == "PUT" && request.body.empty()) {
    require(http::find_header(request.headers, "Content-Range") ==
            "bytes */" + std::to_string(spec.size));
  }
}

void check_text(const std::string& text) {
  require(printable(text) == text);
  require(text.size() < 3000);
}

void check_outcome(const upload::Outcome& outcome, const ObjectSpec& spec, bool answered_well) {
  if (const auto* failed = std::get_if<upload::Failed>(&outcome)) {
    require(!failed->reason.empty());
    check_text(failed->reason);
    require(failed->retryable || !failed->retry_after);
    require(!failed->retry_after || *failed->retry_after >= Duration::zero());
    require(!failed->retryable || !failed->may_not_replace);
    return;
  }
  const auto& stored = std::get<upload::Stored>(outcome);
  check_text(stored.note);
  // Success without an object resource in the answer always comes with a note, and an older version
  // is never taken for a newer one.
  require(answered_well || (!stored.note.empty() && !spec.replaces));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  ObjectSpec spec{.base_url = "https://storage.googleapis.com",
                  .bucket = "b",
                  .name = "dir/covmeta.0",
                  .size = kSize,
                  .crc32c = 0,
                  .multipart_limit = kQuantum,
                  .boundary = "B"};
  const std::string_view kind = take_line(input);
  if (kind.starts_with("small")) spec.size = 9;
  if (kind.starts_with("chunks")) spec.chunk_size = kind.size() % 4 * kQuantum;
  spec.content_addressed = kind.ends_with("meta");
  spec.look_first = kind.find(" shared") != std::string_view::npos;
  spec.replaces = kind.find(" newer") != std::string_view::npos;
  if (kind.find(" newer known") != std::string_view::npos) spec.generation = 7;

  UploadMachine machine(spec);
  for (int attempt = 0; attempt < 4; ++attempt) {
    machine.begin_attempt(7);
    Step step = machine.start();
    bool refused_token = false;
    bool answered_well = false;
    for (int steps = 0;; ++steps) {
      require(steps < kMaxSteps);
      if (const auto* finished = std::get_if<Finished>(&step)) {
        check_outcome(finished->outcome, spec, answered_well);
        if (std::holds_alternative<upload::Stored>(finished->outcome)) return 0;
        break;
      }
      if (const auto* send = std::get_if<Send>(&step)) {
        check_request(send->request, spec);
        // Beyond the end of the input the last attempts meet a server that is always busy.
        const std::string_view line = input.empty() ? "503" : take_line(input);
        if (line == "cancel") break;
        const http::Reply reply = to_reply(line, spec);
        const auto* response = std::get_if<http::Response>(&reply);
        const auto found = response == nullptr ? std::nullopt : parse_object(response->body);
        answered_well = found && found->size == spec.size;
        step = machine.on_reply(reply);
      } else {
        require(!refused_token);
        refused_token = true;
        step = machine.start();
      }
    }
  }
  return 0;
}
