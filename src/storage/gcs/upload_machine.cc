#include "storage/gcs/upload_machine.h"

#include <algorithm>

#include "base/crc32c.h"
#include "base/encoding.h"

namespace integcov::storage::gcs {
namespace {

using http::Response;
using upload::Failed;
using upload::Stored;

constexpr int kMaxLooks = 3;        // per attempt
constexpr int kMaxNewSessions = 3;  // per attempt, beside the first one
constexpr std::uint64_t kChunkQuantum = 256 << 10;

bool success(int status) { return status >= 200 && status < 300; }

Failed failure(const Response& response, bool retryable) {
  return {.retryable = retryable,
          .retry_after = retryable ? retry_after(response.headers) : std::nullopt,
          .progressed = false,
          .reason = describe(response)};
}

}  // namespace

UploadMachine::Phase UploadMachine::first_phase() const {
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
}

Step UploadMachine::start() {
  if (const std::string unfit = unfit_name(spec_); !unfit.empty()) return fail(false, unfit);
  in_flight_ = true;
  switch (phase_) {
    case Phase::multipart: return Send{multipart_request(spec_, match_, fd_)};
    case Phase::start: return Send{start_request(spec_, match_)};
    case Phase::look: return Send{look_request(spec_)};
    case Phase::data:
    case Phase::status: break;
  }
  const bool authorize = url_origin(session_) == url_origin(spec_.base_url);
  if (phase_ == Phase::status) return Send{status_request(spec_, session_), authorize};
  const std::uint64_t length = put_length();
  sent_to_ = std::max(sent_to_, persisted_ + length);
  return Send{data_request(spec_, session_, persisted_, length, fd_), authorize};
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
  lose_answer(error.maybe_sent);
  std::string reason = one_line(error.message);
  const bool in_session = phase_ == Phase::data || phase_ == Phase::status;
  if (in_session && url_origin(session_) != url_origin(spec_.base_url)) {
    // Emulators like to name a host that only they can reach.
    reason += " (the server directed the upload to " + one_line(url_origin(session_)) + ")";
  }
  return fail(error.retryable, reason.empty() ? "the connection failed" : reason);
}

// What may have happened without our knowing it.
void UploadMachine::lose_answer(bool maybe_sent) {
  const bool in_session = phase_ == Phase::data || phase_ == Phase::status;
  if (in_session) ask_status_ = true;
  const bool complete = phase_ == Phase::multipart || (in_session && sent_to_ == spec_.size);
  if (complete && maybe_sent) maybe_stored_ = true;
}

Step UploadMachine::on_insert(const Response& response) {
  if (success(response.status)) return on_accepted(response);
  return on_refused(response);
}

Step UploadMachine::on_started(const Response& response) {
  if (!success(response.status)) return on_refused(response);
  const auto location = http::find_header(response.headers, "Location");
  const auto url = location ? resolve_location(spec_.base_url + "/", *location) : std::nullopt;
  if (!url) return fail(false, "the server started an upload session without a usable Location");
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
    case 499:
      return new_session({true, {}, false, "the upload session is gone: " + describe(response)});
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
  persisted_ = *persisted;
  high_water_ = std::max(high_water_, persisted_);
  ask_status_ = false;
  if (persisted_ == spec_.size) {
    if (after_data) return send(Phase::status);
    forget_session();
    return fail(true, "the server holds all bytes but does not finish the upload");
  }
  if (after_data && !advanced) return fail(true, "the server keeps none of the bytes it is sent");
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
    if (phase_ == Phase::data || phase_ == Phase::status) ask_status_ = true;
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
  if (response.status == 403 && match_ != 0) {
    return fail(false, display_url(spec_) +
                           " exists with other content and may not be replaced (needs "
                           "storage.objects.delete): " +
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
  if (success(response.status)) {
    const auto found = parse_object(response.body);
    if (!found) return fail(true, "the server's answer about the object is unreadable");
    return on_found(*found);
  }
  if (is_temporary(response)) return fail(failure(response, true));
  if (response.status == 403) return on_hidden(response);
  if (response.status != 404) return fail(failure(response, false));
  if (why_ == Why::rate_limited) return fail(otherwise_);
  match_ = 0;  // it has vanished
  return insert_again();
}

Step UploadMachine::on_found(const ObjectInfo& found) {
  if (found.size == spec_.size && found.crc32c == crc32c_base64(spec_.crc32c)) {
    return Finished{Stored{.already_there = !maybe_stored_, .note = {}}};
  }
  if (why_ == Why::rate_limited) return fail(otherwise_);
  if (found.size == spec_.size && !found.crc32c) {
    return Finished{Stored{
        .already_there = !maybe_stored_,
        .note = display_url(spec_) +
                " already exists; its content could not be checked (the server has no checksum)"}};
  }
  if (found.generation.value_or(0) == 0) {
    return fail(false,
                display_url(spec_) + " exists with other content and has no generation number");
  }
  match_ = *found.generation;
  return insert_again();
}

// We may not look. Names of counter files are unique and those of metadata files are hashes, so
// what is there is this file, unless we know better.
Step UploadMachine::on_hidden(const Response& response) {
  if (why_ == Why::rate_limited) return fail(otherwise_);
  if (why_ == Why::mismatch || match_ != 0) {
    return fail(false,
                display_url(spec_) +
                    " exists with other content and could not be checked: " + describe(response));
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

Step UploadMachine::insert_again() {
  if (spec_.size <= spec_.multipart_limit) return send(Phase::multipart);
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
}

Step UploadMachine::fail(Failed failed) const {
  failed.progressed = high_water_ > progress_mark_;
  return Finished{std::move(failed)};
}

Step UploadMachine::fail(bool retryable, std::string reason) const {
  return fail(Failed{retryable, {}, false, std::move(reason)});
}

}  // namespace integcov::storage::gcs
