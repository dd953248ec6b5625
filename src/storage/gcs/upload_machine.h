// One object's upload over all its attempts: requests out, answers in, an Outcome per attempt.
// Pure: no clock, no file, no connection; the caller performs the requests.
//
//   multipart ──2xx──> stored         start ──Location──> data <──308── status
//       └──412──> look <──────412─────────┴─────────────────┴── 2xx ──> stored
//
// A look (GET of the metadata) decides after a failed precondition: equal content is success, other
// content is replaced under its generation, nothing there means sending again. With look_first it
// also comes before the first byte, and again when a session got lost; so it does when an older
// version is to be replaced and its generation isn't known.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "http/message.h"
#include "storage/gcs/requests.h"
#include "storage/gcs/responses.h"
#include "upload/outcome.h"

namespace integcov::storage::gcs {

struct Send {
  http::Request request;
  bool authorize = true;  // false: a session on another host, which must not see the token
};
struct NeedNewToken {};  // the server refused the token: get another one and call start()
struct Finished {
  upload::Outcome outcome;
};
using Step = std::variant<Send, NeedNewToken, Finished>;

class UploadMachine {
 public:
  explicit UploadMachine(ObjectSpec spec)
      : spec_(std::move(spec)), match_(spec_.generation), generation_(spec_.generation) {}

  // A new attempt; the session of earlier ones goes on. An attempt that was cancelled before the
  // answer to its last request needs no other call. `fd` goes into the requests' bodies.
  void begin_attempt(int fd);

  // The request that is due: the first of an attempt, or again the one that needs a new token.
  Step start();
  // The answer to the last Send, or why it could not be sent. Precondition: not finished.
  Step on_reply(const http::Reply& reply);

  [[nodiscard]] const ObjectSpec& spec() const { return spec_; }
  // Of the object as the server described it last, for who replaces it next; 0: not known.
  [[nodiscard]] std::uint64_t generation() const { return generation_; }

 private:
  enum class Phase { multipart, start, data, status, look };
  enum class Why { exists, rate_limited, mismatch, beforehand };  // what made us look

  [[nodiscard]] Phase first_phase() const;
  [[nodiscard]] std::uint64_t put_length() const;
  [[nodiscard]] bool in_session() const;

  Step send(Phase phase);
  Step request(http::Request request, bool authorize = true);
  Step on_transport_error(const http::TransportError& error);
  Step on_insert(const http::Response& response);
  Step on_started(const http::Response& response);
  Step on_session(const http::Response& response);
  Step on_incomplete(const http::Response& response);
  Step on_look(const http::Response& response);
  Step on_found(const ObjectInfo& found);
  Step on_hidden(const http::Response& response);
  Step on_refused(const http::Response& response);
  Step on_accepted(const http::Response& response);

  Step look(Why why, upload::Failed otherwise);
  Step new_session(upload::Failed otherwise);
  Step insert();
  Step insert_again();
  void lose_answer(bool maybe_sent);
  void forget_session();
  Step fail_to_replace(const std::string& reason) const;
  Step fail(upload::Failed failed) const;
  Step fail(bool retryable, std::string reason) const;

  ObjectSpec spec_;
  int fd_ = -1;
  Phase phase_ = Phase::multipart;
  bool in_flight_ = false;

  // Kept from attempt to attempt.
  std::uint64_t match_ = 0;       // generation to replace; 0: nothing may be there
  std::uint64_t generation_ = 0;  // as last told
  bool maybe_stored_ = false;     // an answer to a request of ours that may have stored it got lost
  std::string session_;           // empty: none
  std::uint64_t persisted_ = 0;   // bytes that the session confirmed
  std::uint64_t sent_to_ = 0;     // end of what was sent in the session
  bool ask_status_ = false;       // what the session holds is not known
  std::uint64_t high_water_ = 0;  // most bytes that any session confirmed
  int stuck_ = 0;                 // failures in the session since it held more than before
  int timeouts_ = 0;              // of all requests so far
  bool bad_request_ = false;      // the server has called a request malformed

  // Of this attempt.
  std::uint64_t progress_mark_ = 0;  // high_water_ before it
  int looks_ = 0;
  int new_sessions_ = 0;
  std::uint64_t puts_ = 0;
  bool token_refused_ = false;
  int fresh_tries_ = 0;
  bool fresh_ = false;  // the next request goes over a new connection
  Why why_ = Why::exists;
  upload::Failed otherwise_;  // how the attempt ends if the look decides nothing
};

}  // namespace integcov::storage::gcs
