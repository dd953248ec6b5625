#include "storage/gcs/gcs_backend.h"

#include <optional>
#include <unordered_map>
#include <utility>

#include "coverage/file_name.h"
#include "event/timer.h"
#include "storage/content_reader.h"
#include "storage/gcs/upload_machine.h"

namespace integcov::storage::gcs {

using upload::Failed;
using upload::Outcome;
using upload::Stored;
using upload::UploadId;

struct GcsBackend::Shared {
  // The upload of one version of a file.
  struct Upload {
    FileIdentity identity;
    UploadMachine machine;
  };

  event::Loop& loop;
  http::Client& client;
  auth::TokenCache* tokens;
  GcsOptions options;
  std::function<std::string()> random_boundary;
  std::unordered_map<UploadId, Upload> uploads{};

  UploadMachine& machine_for(UploadId id, const std::string& path, const FileIdentity& identity,
                             std::uint32_t crc32c);
};

UploadMachine& GcsBackend::Shared::machine_for(UploadId id, const std::string& path,
                                               const FileIdentity& identity, std::uint32_t crc32c) {
  if (const auto known = uploads.find(id); known != uploads.end()) {
    if (known->second.identity == identity && known->second.machine.spec().crc32c == crc32c) {
      return known->second.machine;
    }
    uploads.erase(known);
  }
  const coverage::FileKind kind = coverage::parse_file_name(path).kind;
  ObjectSpec spec{
      .base_url = options.base_url,
      .bucket = options.bucket,
      .name = options.prefix.empty() ? path : options.prefix + "/" + path,
      .size = identity.size,
      .crc32c = crc32c,
      .metadata = options.metadata,
      .content_addressed = kind == coverage::FileKind::covmeta,
      .unique_name = kind == coverage::FileKind::covcounters,
      .chunk_size = options.chunk_size,
      .user_project = options.user_project,
      .kms_key = options.kms_key,
      .boundary = random_boundary(),
  };
  const auto added = uploads.emplace(id, Upload{identity, UploadMachine(std::move(spec))}).first;
  return added->second.machine;
}

// One attempt: checksum, then token and request in turn until the machine has finished.
class GcsBackend::Transfer : public Attempt {
 public:
  Transfer(Shared& shared, UploadRequest request, Done done)
      : shared_(shared),
        request_(std::move(request)),
        done_(std::move(done)),
        reader_(request_.content.get()),
        timer_(shared.loop, [this] { read_on(); }) {
    timer_.arm(Duration::zero());
  }

 private:
  void read_on() {
    const ContentReader::Slice slice = reader_.next();
    if (const auto* failed = std::get_if<Failed>(&slice)) return finish(*failed);
    if (!reader_.finished()) return timer_.arm(Duration::zero());
    machine_ =
        &shared_.machine_for(request_.id, request_.file.path, reader_.identity(), reader_.crc32c());
    machine_->begin_attempt(request_.content.get());
    perform(machine_->start());
  }

  void perform(Step step) {
    if (auto* send = std::get_if<Send>(&step)) return authorize(std::move(*send));
    if (auto* finished = std::get_if<Finished>(&step)) return finish(std::move(finished->outcome));
    if (shared_.tokens != nullptr) shared_.tokens->invalidate(token_);
    perform(machine_->start());
  }

  void authorize(Send send) {
    if (shared_.options.user_project.empty() && !shared_.options.quota_project.empty()) {
      send.request.headers.emplace_back("x-goog-user-project", shared_.options.quota_project);
    }
    if (shared_.tokens == nullptr || !send.authorize) return transmit(std::move(send.request));
    const WallTime now = event::Loop::wall_now();
    if (auto token = shared_.tokens->peek(now)) {
      return transmit_with(std::move(*token), std::move(send.request));
    }
    waiting_ = std::move(send.request);
    wait_ =
        shared_.tokens->get(now, [this](auth::TokenReply reply) { on_token(std::move(reply)); });
  }

  void on_token(auth::TokenReply reply) {
    if (auto* error = std::get_if<auth::TokenError>(&reply)) {
      return perform(machine_->on_reply(http::TransportError{
          .message = "no access token: " + error->message,
          .retryable = error->retryable,
          .maybe_sent = false,
      }));
    }
    transmit_with(std::move(std::get<auth::Token>(reply).access_token), std::move(waiting_));
  }

  void transmit_with(std::string token, http::Request request) {
    token_ = std::move(token);
    request.headers.emplace_back("Authorization", "Bearer " + token_);
    transmit(std::move(request));
  }

  void transmit(http::Request request) {
    exchange_ = shared_.client.start(std::move(request), [this](const http::Reply& reply) {
      perform(machine_->on_reply(reply));
    });
  }

  void finish(Outcome outcome) {
    if (machine_ != nullptr && std::holds_alternative<Stored>(outcome)) {
      const auto now = identify(request_.content.get());
      const auto* identity = std::get_if<FileIdentity>(&now);
      if (identity == nullptr || *identity != reader_.identity()) outcome = changed_while_read();
    }
    const auto* failed = std::get_if<Failed>(&outcome);
    if (failed == nullptr || !failed->retryable) shared_.uploads.erase(request_.id);
    const auto done = std::move(done_);
    done(std::move(outcome));  // may destroy this
  }

  Shared& shared_;
  UploadRequest request_;
  Done done_;
  ContentReader reader_;
  event::Timer timer_;
  UploadMachine* machine_ = nullptr;  // in shared_.uploads
  std::string token_;                 // of the last request that had one
  http::Request waiting_;             // for a token
  std::unique_ptr<auth::TokenCache::Wait> wait_;
  std::unique_ptr<http::Exchange> exchange_;
};

GcsBackend::GcsBackend(event::Loop& loop, http::Client& client, auth::TokenCache* tokens,
                       GcsOptions options, std::function<std::string()> random_boundary)
    : shared_(std::make_unique<Shared>(loop, client, tokens, std::move(options),
                                       std::move(random_boundary))) {}

GcsBackend::~GcsBackend() = default;

std::unique_ptr<Attempt> GcsBackend::upload(UploadRequest request, Done done) {
  return std::make_unique<Transfer>(*shared_, std::move(request), std::move(done));
}

}  // namespace integcov::storage::gcs
