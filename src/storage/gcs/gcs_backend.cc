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

namespace {

constexpr std::uint64_t kMultipartLimit = 8 << 20;
// Several writers of one name break one another's sessions (blobfile/blobfile#34), so replicas
// send their common covmeta in one request as long as that isn't absurd.
constexpr std::uint64_t kMultipartLimitOfShared = 64 << 20;
// Servers close a connection that is idle for minutes.
constexpr Duration kIdleTooLong = std::chrono::seconds(60);

}  // namespace

struct GcsBackend::Shared {
  // The upload of one version of a file.
  struct Upload {
    FileIdentity identity;
    bool replaces;  // as asked for
    UploadMachine machine;
  };

  event::Loop& loop;
  http::Client& client;
  auth::TokenCache* tokens;
  GcsOptions options;
  std::function<std::string()> random_boundary;
  std::unordered_map<UploadId, Upload> uploads{};
  // By object name: the generation that our last upload of it left. Of names that may be replaced.
  std::unordered_map<std::string, std::uint64_t> generations{};
  std::optional<MonoTime> last_answer{};

  [[nodiscard]] std::string object_name(const std::string& path) const {
    return options.prefix.empty() ? path : options.prefix + "/" + path;
  }
  void add_options(http::Request& request) const {
    request.through_proxy = options.through_proxy;
    if (options.user_project.empty() && !options.quota_project.empty()) {
      request.headers.emplace_back("x-goog-user-project", options.quota_project);
    }
  }
  UploadMachine& machine_for(const UploadRequest& upload, const ContentReader& content);
  void remember(const UploadMachine& machine);
};

UploadMachine& GcsBackend::Shared::machine_for(const UploadRequest& upload,
                                               const ContentReader& content) {
  const FileIdentity& identity = content.identity();
  const std::string name = object_name(upload.name());
  if (const auto known = uploads.find(upload.id); known != uploads.end()) {
    const ObjectSpec& spec = known->second.machine.spec();
    if (known->second.identity == identity && known->second.replaces == upload.replaces &&
        spec.crc32c == content.crc32c() && spec.name == name) {
      return known->second.machine;
    }
    uploads.erase(known);
  }
  const coverage::FileKind kind = coverage::parse_file_name(upload.name()).kind;
  const bool shared = kind == coverage::FileKind::covmeta;
  const bool one_request = shared && options.chunk_size == 0;
  const auto earlier = generations.find(name);
  const bool replaces = !shared && (upload.replaces || earlier != generations.end());
  ObjectSpec spec{
      .base_url = options.base_url,
      .bucket = options.bucket,
      .name = name,
      .size = identity.size,
      .crc32c = content.crc32c(),
      .metadata = options.metadata,
      .content_addressed = shared,
      .unique_name = kind == coverage::FileKind::covcounters || kind == coverage::FileKind::record,
      .look_first = shared && identity.size > kMultipartLimit,
      .replaces = replaces,
      .generation = replaces && earlier != generations.end() ? earlier->second : 0,
      .multipart_limit = one_request ? kMultipartLimitOfShared : kMultipartLimit,
      .chunk_size = options.chunk_size,
      .user_project = options.user_project,
      .kms_key = options.kms_key,
      .boundary = random_boundary(),
  };
  const auto added =
      uploads.emplace(upload.id, Upload{identity, upload.replaces, UploadMachine(std::move(spec))})
          .first;
  return added->second.machine;
}

void GcsBackend::Shared::remember(const UploadMachine& machine) {
  if (!machine.spec().content_addressed) generations[machine.spec().name] = machine.generation();
}

// One attempt: checksum, then token and request in turn until the machine has finished.
class GcsBackend::Transfer : public Attempt {
 public:
  Transfer(Shared& shared, UploadRequest request, Done done)
      : shared_(shared),
        request_(std::move(request)),
        done_(std::move(done)),
        writers_(writers_of(request_.file.path)),
        reader_(request_.content.get(), writers_),
        timer_(shared.loop, [this] { read_on(); }) {
    timer_.arm(Duration::zero());
  }

 private:
  void read_on() {
    const ContentReader::Slice slice = reader_.next();
    if (const auto* failed = std::get_if<Failed>(&slice)) return finish(*failed);
    if (!reader_.finished()) return timer_.arm(Duration::zero());
    machine_ = &shared_.machine_for(request_, reader_);
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
    shared_.add_options(send.request);
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
      if (std::holds_alternative<http::Response>(reply)) shared_.last_answer = event::Loop::now();
      perform(machine_->on_reply(reply));
    });
  }

  void finish(Outcome outcome) {
    if (machine_ != nullptr && std::holds_alternative<Stored>(outcome)) {
      shared_.remember(*machine_);
      const auto now = identify(request_.content.get());
      const auto* identity = std::get_if<FileIdentity>(&now);
      if (identity == nullptr || !is_still_there(reader_.identity(), *identity, writers_))
        outcome = changed_while_read();
    }
    const auto* failed = std::get_if<Failed>(&outcome);
    if (failed == nullptr || !failed->retryable) shared_.uploads.erase(request_.id);
    const auto done = std::move(done_);
    done(std::move(outcome));  // may destroy this
  }

  Shared& shared_;
  UploadRequest request_;
  Done done_;
  Writers writers_;
  ContentReader reader_;
  event::Timer timer_;
  UploadMachine* machine_ = nullptr;  // in shared_.uploads
  std::string token_;                 // of the last request that had one
  http::Request waiting_;             // for a token
  std::unique_ptr<auth::TokenCache::Wait> wait_;
  std::unique_ptr<http::Exchange> exchange_;
};

// Failures don't matter: an upload will say what is wrong.
class GcsBackend::WarmUp {
 public:
  explicit WarmUp(Shared& shared) : shared_(shared) {
    const auto last = shared.last_answer;
    const Duration idle = last ? event::Loop::now() - *last : kIdleTooLong;
    connect_ = idle > shared.options.warm_for;
    wake_later_ = idle < kIdleTooLong;
    get_token();
  }

  // An upload goes out now: it needs the connection, and the way.
  void give_way() { wake_later_ = false; }

 private:
  void get_token() {
    if (shared_.tokens == nullptr) return connect("");
    const WallTime now = event::Loop::wall_now();
    if (const auto token = shared_.tokens->peek(now)) return connect(*token);
    wait_ = shared_.tokens->get(now, [this](const auth::TokenReply& reply) {
      if (const auto* token = std::get_if<auth::Token>(&reply)) connect(token->access_token);
    });
  }

  // libcurl takes the oldest connection that is idle.
  void connect(const std::string& token) {
    if (!std::exchange(connect_, false)) return;
    if (!wake_later_) wake(token, true);
    http::Request request = authorized(look_request(spec()), token);
    request.fresh_connection = true;
    look_ = shared_.client.start(std::move(request), [this, token](const http::Reply& reply) {
      const auto* response = std::get_if<http::Response>(&reply);
      if (response == nullptr) return;
      shared_.last_answer = event::Loop::now();
      if (response->status != 401 || shared_.tokens == nullptr) {
        if (wake_later_) wake(token, false);
        return;
      }
      shared_.tokens->invalidate(token);
      get_token();
    });
  }

  // Emulators are near, and don't know this request. Who keeps the window must not lose the
  // connection for so long.
  void wake(const std::string& token, bool fresh) {
    if (token.empty() || shared_.client.keeps_windows()) return;
    http::Request request = authorized(wake_request(spec()), token);
    request.fresh_connection = fresh;
    wake_ = shared_.client.start(std::move(request), [this](const http::Reply& reply) {
      if (std::holds_alternative<http::Response>(reply)) shared_.last_answer = event::Loop::now();
    });
  }

  [[nodiscard]] ObjectSpec spec() const {
    return {.base_url = shared_.options.base_url,
            .bucket = shared_.options.bucket,
            .name = shared_.object_name("covmeta"),
            .user_project = shared_.options.user_project,
            .boundary = shared_.random_boundary()};
  }
  [[nodiscard]] http::Request authorized(http::Request request, const std::string& token) const {
    shared_.add_options(request);
    if (!token.empty()) request.headers.emplace_back("Authorization", "Bearer " + token);
    return request;
  }

  Shared& shared_;
  bool connect_ = false;
  bool wake_later_ = false;  // over the idle connection, as soon as another one is ready
  std::unique_ptr<auth::TokenCache::Wait> wait_;
  std::unique_ptr<http::Exchange> look_;
  std::unique_ptr<http::Exchange> wake_;
};

GcsBackend::GcsBackend(event::Loop& loop, http::Client& client, auth::TokenCache* tokens,
                       GcsOptions options, std::function<std::string()> random_boundary)
    : shared_(std::make_unique<Shared>(loop, client, tokens, std::move(options),
                                       std::move(random_boundary))) {}

GcsBackend::~GcsBackend() = default;

void GcsBackend::prepare() { warm_up_ = std::make_unique<WarmUp>(*shared_); }

std::unique_ptr<Attempt> GcsBackend::upload(UploadRequest request, Done done) {
  if (warm_up_) warm_up_->give_way();
  return std::make_unique<Transfer>(*shared_, std::move(request), std::move(done));
}

}  // namespace integcov::storage::gcs
