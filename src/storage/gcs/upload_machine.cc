#include "storage/gcs/upload_machine.h"

#include <algorithm>
#include <utility>

#include "base/crc32c.h"
#include "base/encoding.h"

namespace integcov::storage::gcs {
namespace {

using http::Response;
using upload::Failed;
using upload::Stored;

constexpr int kMaxLooks = 3;        // per attempt
constexpr int kMaxNewSessions = 3;  // per attempt, beside the first one
constexpr int kMaxFreshTries = 3;   // per attempt, each at once after a stale connection
constexpr int kMaxStuck = 4;        // failures without progress before a session is given up
constexpr std::uint64_t kChunkQuantum = 256 << 10;

bool success(int status) { return status >= 200 && status < 300; }

Failed failure(const Response& response, bool retryable) {
  return {.retryable = retryable,
          .retry_after = retryable ? retry_after(response.headers) : std::nullopt,
          .progressed = false,
          .reason = describe(response)};
}

}  // namespace

bool UploadMachine::in_session() const { return phase_ == Phase::data || phase_ == Phase::status; }

UploadMachine::Phase UploadMachine::first_phase() const {
  const bool unknown = spec_.replaces && match_ == 0;
  if ((spec_.look_first || unknown) && session_.empty()) return Phase::look;
  if (spec_.size <= spec_.multipart_limit) return Phase::multipart;
  if (session_.empty()) return Phase::start;
  return ask_status_ ? Phase::status : Phase::data;
}

std::uint64_t UploadMachine::put_length() const {
  const std::uint64_t rest = spec_.size - persisted_;
  const std::uint64_t chunk = spec_.chunk_size / kChunkQuantum * kChunkQuantum;
  if (spec_.chunk_size == 0) return rest;
  return std::min(rest, std::max(chunk, kChunkQuantum));
}

void UploadMachine::begin_attempt(int fd) {
  if (in_flight_) lose_answer(true);
  in_flight_ = false;
  fd_ = fd;
  phase_ = first_phase();
  progress_mark_ = high_water_;
  looks_ = 0;
  new_sessions_ = 0;
  puts_ = 0;
  token_refused_ = false;
  fresh_tries_ = 0;
  fresh_ = false;
  why_ = Why::beforehand;
}

Step UploadMachine::start() {
  if (const std::string unfit = unfit_name(spec_); !unfit.empty()) return fail(false, unfit);
  switch (phase_) {
    case Phase::multipart: return request(multipart_request(spec_, match_, fd_));
    case Phase::start: return request(start_request(spec_, match_));
    case Phase::look: return request(look_request(spec_));
    case Phase::data:
    case Phase::status: break;
  }
  const bool authorize = url_origin(session_) == url_origin(spec_.base_url);
  if (phase_ == Phase::status) return request(status_request(spec_, session_), authorize);
  const std::uint64_t length = put_length();
  sent_to_ = std::max(sent_to_, persisted_ + length);
  return request(data_request(spec_, session_, persisted_, length, fd_), authorize);
}

// Short limits leave time for other tries. Who is too slow for them gets longer ones in the end.
Step UploadMachine::request(http::Request request, bool authorize) {
  in_flight_ = true;
  const int patience = timeouts_ < 2 ? 1 : timeouts_ < 4 ? 2 : 4;
  request.stall_timeout *= patience;
  request.answer_timeout *= patience;
  request.fresh_connection = std::exchange(fresh_, false);
  return Send{std::move(request), authorize};
}

Step UploadMachine::send(Phase phase) {
  phase_ = phase;
  return start();
}

Step UploadMachine::on_reply(const http::Reply& reply) {
  in_flight_ = false;
  if (const auto* error = std::get_if<http::TransportError>(&reply)) {
    return on_transport_error(*error);
  }
  const auto& response = std::get<Response>(reply);
  if (response.status == 401) {
    if (token_refused_) return fail(failure(response, false));
    token_refused_ = true;
    return NeedNewToken{};
  }
  switch (phase_) {
    case Phase::multipart: return on_insert(response);
    case Phase::start: return on_started(response);
    case Phase::data:
    case Phase::status: return on_session(response);
    case Phase::look: break;
  }
  return on_look(response);
}

Step UploadMachine::on_transport_error(const http::TransportError& error) {
  std::string reason = one_line(error.message);
  const bool elsewhere = in_session() && url_origin(session_) != url_origin(spec_.base_url);
  if (elsewhere) {
    // Emulators like to name a host that only they can reach.
    reason += " (the server directed the upload to " + one_line(url_origin(session_)) + ")";
  }
  if (error.timed_out) ++timeouts_;
  lose_answer(error.maybe_sent);
  if (elsewhere && persisted_ == 0) forget_session();  // it may never answer: ask for another one
  if (error.reused_connection && error.retryable && fresh_tries_ < kMaxFreshTries) {
    ++fresh_tries_;
    fresh_ = true;
    if (!in_session()) return start();
    if (!session_.empty()) return send(Phase::status);
  }
  return fail(error.retryable, reason.empty() ? "the connection failed" : reason);
}

// What may have happened without our knowing it.
void UploadMachine::lose_answer(bool maybe_sent) {
  const bool complete = phase_ == Phase::multipart || (in_session() && sent_to_ == spec_.size);
  if (complete && maybe_sent) maybe_stored_ = true;
  if (!in_session()) return;
  ask_status_ = true;
  // One that fails for ever must not take all tries (googleapis/java-storage#3040).
  if (++stuck_ == kMaxStuck) forget_session();
}

Step UploadMachine::on_insert(const Response& response) {
  if (success(response.status)) return on_accepted(response);
  return on_refused(response);
}

Step UploadMachine::on_started(const Response& response) {
  if (!success(response.status)) return on_refused(response);
  const auto location = http::find_header(response.headers, "Location");
  const auto url = location ? resolve_location(spec_.base_url + "/", *location) : std::nullopt;
  // A header that was cut off looks like this, too.
  if (!url) return fail(true, "the server started an upload session without a usable Location");
  forget_session();
  session_ = *url;
  return send(Phase::data);
}

Step UploadMachine::on_session(const Response& response) {
  if (success(response.status)) return on_accepted(response);
  switch (response.status) {
    case 308: return on_incomplete(response);
    case 404:
    case 410:
    case 499: {
      Failed gone{true, {}, false, "the upload session is gone: " + describe(response)};
      if (!spec_.look_first) return new_session(std::move(gone));
      forget_session();  // perhaps because another writer has finished
      return look(Why::beforehand, std::move(gone));
    }
    default: break;
  }
  if (!is_temporary(response)) forget_session();
  return on_refused(response);
}

// A 308: the session holds a part.
Step UploadMachine::on_incomplete(const Response& response) {
  const auto persisted = persisted_bytes(response.headers);
  if (!persisted || *persisted > sent_to_ || *persisted < persisted_) {
    return new_session({true, {}, false, "the server lost track of the upload session"});
  }
  const bool after_data = phase_ == Phase::data;
  const bool advanced = *persisted > persisted_;
  if (advanced) stuck_ = 0;
  persisted_ = *persisted;
  high_water_ = std::max(high_water_, persisted_);
  ask_status_ = false;
  if (persisted_ == spec_.size) {
    if (after_data) return send(Phase::status);
    forget_session();
    return fail(true, "the server holds all bytes but does not finish the upload");
  }
  if (after_data && !advanced) {
    lose_answer(true);
    return fail(true, "the server keeps none of the bytes it is sent");
  }
  // A server may keep less than it is sent, but not byte by byte without end.
  const std::uint64_t chunk =
      spec_.chunk_size == 0 ? 16 << 20 : std::max(spec_.chunk_size, kChunkQuantum);
  if (++puts_ > 16 + 2 * (spec_.size / chunk)) {
    return fail(true, "the server keeps too few of the bytes it is sent");
  }
  return send(Phase::data);
}

// 2xx to a request that stores the object.
Step UploadMachine::on_accepted(const Response& response) {
  forget_session();
  maybe_stored_ = true;
  const auto stored = parse_object(response.body);
  if (!stored) return look(Why::exists, {true, {}, false, "the server's answer is unreadable"});
  generation_ = stored->generation.value_or(0);
  const bool equal =
      stored->size == spec_.size &&
      stored->crc32c.value_or(crc32c_base64(spec_.crc32c)) == crc32c_base64(spec_.crc32c);
  if (equal) return Finished{Stored{}};
  return look(Why::mismatch,
              {true, {}, false, "size or checksum of what the server stored is not the file's"});
}

// Any other answer to a request that stores the object.
Step UploadMachine::on_refused(const Response& response) {
  if (response.status == 412) {
    forget_session();
    return look(Why::exists, failure(response, true));
  }
  if (is_rate_limited(response)) {
    if (in_session()) ask_status_ = true;
    const Failed failed = failure(response, true);
    // Many replicas write this same object at once: one of them may have done it.
    if (spec_.content_addressed) return look(Why::rate_limited, failed);
    return fail(failed);
  }
  if (is_temporary(response)) {
    lose_answer(true);
    return fail(failure(response, true));
  }
  if (is_checksum_refusal(response)) {
    forget_session();
    return fail(true, "the content was corrupted on the way or changed while it was read");
  }
  // Our requests are well-formed: once, it may be the envelope that arrived damaged.
  if (response.status == 400 && !std::exchange(bad_request_, true)) {
    return fail(failure(response, true));
  }
  // Twice; but an earlier request may have stored it although its answer said otherwise.
  if (response.status == 400 && maybe_stored_) return look(Why::exists, failure(response, false));
  if (response.status == 403 && match_ != 0) {
    return fail_to_replace(" and may not be replaced (needs storage.objects.delete): " +
                           describe(response));
  }
  const bool insert = phase_ == Phase::multipart || phase_ == Phase::start;
  if (response.status == 404 && insert) {
    return fail(false, "bucket \"" + printable(spec_.bucket) +
                           "\" does not exist or is not visible to these credentials: " +
                           describe(response));
  }
  return fail(failure(response, false));
}

Step UploadMachine::look(Why why, Failed otherwise) {
  if (looks_ == kMaxLooks) return fail(std::move(otherwise));
  ++looks_;
  why_ = why;
  otherwise_ = std::move(otherwise);
  return send(Phase::look);
}

Step UploadMachine::on_look(const Response& response) {
  const bool beforehand = why_ == Why::beforehand;
  if (success(response.status)) {
    const auto found = parse_object(response.body);
    if (!found && beforehand) return insert();
    if (!found) return fail(true, "the server's answer about the object is unreadable");
    return on_found(*found);
  }
  if (is_temporary(response)) return fail(failure(response, true));
  if (beforehand && response.status != 404) return insert();  // it will tell better what is wrong
  if (response.status == 403) return on_hidden(response);
  if (response.status != 404) return fail(failure(response, false));
  if (why_ == Why::rate_limited) return fail(otherwise_);
  match_ = 0;  // it has vanished
  return insert_again();
}

Step UploadMachine::on_found(const ObjectInfo& found) {
  generation_ = found.generation.value_or(0);
  if (found.size == spec_.size && found.crc32c == crc32c_base64(spec_.crc32c)) {
    return Finished{Stored{.already_there = !maybe_stored_, .note = {}}};
  }
  if (why_ == Why::rate_limited) return fail(otherwise_);
  if (found.size == spec_.size && !found.crc32c && !spec_.replaces) {
    return Finished{Stored{
        .already_there = !maybe_stored_,
        .note = display_url(spec_) +
                " already exists; its content could not be checked (the server has no checksum)"}};
  }
  if (generation_ == 0) return fail_to_replace(" and has no generation number");
  match_ = generation_;
  return insert_again();
}

// We may not look. Names of counter files are unique and those of metadata files are hashes, so
// what is there is this file, unless we know better: it may be an older version.
Step UploadMachine::on_hidden(const Response& response) {
  if (why_ == Why::rate_limited) return fail(otherwise_);
  if (why_ == Why::mismatch || match_ != 0 || spec_.replaces) {
    return fail_to_replace(" and could not be checked: " + describe(response));
  }
  std::string unchecked = display_url(spec_) +
                          " already exists; its content could not be checked (no "
                          "storage.objects.get permission)";
  // Under its name there can only be this file, or we stored it and the answer got lost.
  if (spec_.content_addressed || spec_.unique_name || maybe_stored_) {
    return Finished{Stored{.already_there = !maybe_stored_, .note = std::move(unchecked)}};
  }
  return fail(false, std::move(unchecked));
}

Step UploadMachine::insert() {
  return send(spec_.size <= spec_.multipart_limit ? Phase::multipart : Phase::start);
}

Step UploadMachine::insert_again() {
  if (looks_ == 0 || spec_.size <= spec_.multipart_limit) return insert();
  return new_session(otherwise_);
}

Step UploadMachine::new_session(Failed otherwise) {
  forget_session();
  if (new_sessions_ == kMaxNewSessions) return fail(std::move(otherwise));
  ++new_sessions_;
  return send(Phase::start);
}

void UploadMachine::forget_session() {
  session_.clear();
  persisted_ = 0;
  sent_to_ = 0;
  ask_status_ = false;
  stuck_ = 0;
}

// What is under our name isn't the file, for all we know.
Step UploadMachine::fail_to_replace(const std::string& reason) const {
  Failed failed{false, {}, false, display_url(spec_) + " exists with other content" + reason};
  failed.may_not_replace = true;
  return fail(std::move(failed));
}

Step UploadMachine::fail(Failed failed) const {
  failed.progressed = high_water_ > progress_mark_;
  return Finished{std::move(failed)};
}

Step UploadMachine::fail(bool retryable, std::string reason) const {
  return fail(Failed{retryable, {}, false, std::move(reason)});
}

}  // namespace integcov::storage::gcs
