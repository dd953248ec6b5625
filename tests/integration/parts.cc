#include "integration/parts.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <simdjson.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

namespace integcov::test {
namespace {

std::size_t append(char* data, std::size_t size, std::size_t count, void* to) {
  static_cast<std::string*>(to)->append(data, size * count);
  return size * count;
}

std::string escape(const std::string& text) {
  const std::unique_ptr<char, void (*)(void*)> escaped(
      curl_easy_escape(nullptr, text.c_str(), static_cast<int>(text.size())), curl_free);
  return escaped.get();
}

std::uint16_t free_port() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  bind(fd, generic, length);
  getsockname(fd, generic, &length);
  close(fd);
  return ntohs(address.sin_port);
}

std::string string_of(simdjson::dom::element element) {
  return std::string(std::string_view(element));
}

}  // namespace

std::string go_integcov() { return INTEGCOV_BINARY; }

std::string program(const std::string& name, const std::string& mode) {
  return std::string(INTEGCOV_PROGRAMS) + '/' + mode + '/' + name;
}

std::string covdata(const std::string& verb, const std::filesystem::path& folder) {
  const Ended ended = run({INTEGCOV_GO, "tool", "covdata", verb, "-i=" + folder.string()});
  EXPECT_EQ(ended.code, 0) << ended.err;
  return ended.out;
}

std::string profile(const std::filesystem::path& folder) {
  const TempDir dir;
  const std::string file = (dir / "profile.txt").string();
  const Ended ended =
      run({INTEGCOV_GO, "tool", "covdata", "textfmt", "-i=" + folder.string(), "-o=" + file});
  EXPECT_EQ(ended.code, 0) << ended.err;
  return read_file(file);
}

HttpAnswer http(const std::string& method, const std::string& url, const std::string& body,
                const std::string& bearer_token) {
  HttpAnswer answer;
  const std::unique_ptr<CURL, void (*)(CURL*)> easy(curl_easy_init(), curl_easy_cleanup);
  curl_easy_setopt(easy.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy.get(), CURLOPT_CUSTOMREQUEST, method.c_str());
  curl_easy_setopt(easy.get(), CURLOPT_NOPROXY, "*");
  curl_easy_setopt(easy.get(), CURLOPT_TIMEOUT, 60L);
  curl_easy_setopt(easy.get(), CURLOPT_WRITEFUNCTION, append);
  curl_easy_setopt(easy.get(), CURLOPT_WRITEDATA, &answer.body);
  curl_slist* list = curl_slist_append(nullptr, "Content-Type: application/json");
  if (!bearer_token.empty()) {
    list = curl_slist_append(list, ("Authorization: Bearer " + bearer_token).c_str());
  }
  const std::unique_ptr<curl_slist, void (*)(curl_slist*)> headers(list, curl_slist_free_all);
  curl_easy_setopt(easy.get(), CURLOPT_HTTPHEADER, headers.get());
  if (method != "GET") curl_easy_setopt(easy.get(), CURLOPT_POSTFIELDS, body.c_str());
  if (curl_easy_perform(easy.get()) == CURLE_OK) {
    curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &answer.status);
  }
  return answer;
}

std::map<std::string, std::string> ObjectStore::objects(Records records) const {
  const std::string objects = url_ + "/storage/v1/b/bucket/o";
  const HttpAnswer list = http("GET", objects + "?maxResults=5000", "", token_);
  EXPECT_EQ(list.status, 200) << list.body;
  std::map<std::string, std::string> result;
  simdjson::dom::parser parser;
  simdjson::dom::array items;
  if (parser.parse(list.body)["items"].get(items) != simdjson::SUCCESS) return result;
  for (const auto item : items) {
    const std::string name = string_of(item["name"]);
    if (records == Records::left_out && is_record(name)) continue;
    const HttpAnswer content = http("GET", objects + "/" + escape(name) + "?alt=media", "", token_);
    EXPECT_EQ(content.status, 200) << name;
    result[name] = content.body;
  }
  return result;
}

std::map<std::string, std::string> ObjectStore::metadata(const std::string& name) const {
  const HttpAnswer answer =
      http("GET", url_ + "/storage/v1/b/bucket/o/" + escape(name), "", token_);
  EXPECT_EQ(answer.status, 200) << answer.body;
  std::map<std::string, std::string> result;
  simdjson::dom::parser parser;
  simdjson::dom::object metadata;
  if (parser.parse(answer.body)["metadata"].get(metadata) != simdjson::SUCCESS) return result;
  for (const auto field : metadata) result[std::string(field.key)] = string_of(field.value);
  return result;
}

FakeGcsServer::FakeGcsServer() {
  // It can't tell a port that the system chose; another program may take ours in between.
  for (int attempt = 0; attempt < 5 && url_.empty(); ++attempt) {
    const std::string port = std::to_string(free_port());
    const std::string url = "http://127.0.0.1:" + port;
    process_ = std::make_unique<Process>(std::vector<std::string>{
        std::string(INTEGCOV_SERVERS) + "/fake-gcs-server", "-backend=memory", "-scheme=http",
        "-host=127.0.0.1", "-port=" + port, "-external-url=" + url,
        "-public-host=127.0.0.1:" + port, "-log-level=error"});
    const bool up = eventually([&] {
      return !process_->running() ||
             http("POST", url + "/storage/v1/b?project=test", R"({"name":"bucket"})").status == 200;
    });
    if (up && process_->running()) url_ = url;
  }
  EXPECT_FALSE(url_.empty()) << "fake-gcs-server did not start: " << process_->err();
}

ScriptedGcs::ScriptedGcs(const std::vector<std::string>& flags) {
  std::vector<std::string> command{std::string(INTEGCOV_SERVERS) + "/gcs"};
  command.insert(command.end(), flags.begin(), flags.end());
  process_ = std::make_unique<Process>(command, Options{.keep_stdin_open = true});
  EXPECT_TRUE(eventually([&] { return process_->out().ends_with('\n'); })) << process_->err();
  simdjson::dom::parser parser;
  const std::string line = process_->out();
  const simdjson::dom::element says = parser.parse(line);
  address_ = string_of(says["plain"]);
  url_ = "http://" + address_;
  if (const auto token = std::ranges::find(flags, "-token"); token != flags.end()) {
    token_ = *std::next(token);
  }
  secure_url_ = string_of(says["url"]);
}

void ScriptedGcs::script(const std::string& rules) const {
  const HttpAnswer answer = http("POST", url_ + "/_control/rules", rules);
  EXPECT_LT(answer.status, 300) << answer.body;
}

void ScriptedGcs::heal() const { EXPECT_EQ(http("DELETE", url_ + "/_control/rules").status, 204); }

std::map<std::string, std::string> ScriptedGcs::sizes(Records records) const {
  std::map<std::string, std::string> sizes;
  simdjson::dom::parser parser;
  const HttpAnswer answer = http("GET", url_ + "/_control/objects");
  for (const auto item : parser.parse(answer.body).get_array()) {
    const std::string name = string_of(item["name"]);
    if (records == Records::left_out && is_record(name)) continue;
    sizes[name] = string_of(item["size"]);
  }
  return sizes;
}

std::vector<ScriptedGcs::Call> ScriptedGcs::calls(Records records) const {
  std::vector<Call> calls;
  simdjson::dom::parser parser;
  const HttpAnswer answer = http("GET", url_ + "/_control/log");
  for (const auto item : parser.parse(answer.body).get_array()) {
    const bool record = (string_of(item["path"]) + string_of(item["query"])).find("%2Fintegcov.") !=
                        std::string::npos;
    if (records == Records::left_out && record) continue;
    calls.push_back({string_of(item["method"]), string_of(item["path"]), string_of(item["query"]),
                     item["status"].get_int64(), item["ms"].get_int64(),
                     item["connection"].get_int64(),
                     item["headers"]["expect"].error() == simdjson::SUCCESS});
  }
  return calls;
}

std::size_t ScriptedGcs::count(const std::string& method, const std::string& text) const {
  const auto all = calls();
  return static_cast<std::size_t>(std::ranges::count_if(all, [&](const Call& call) {
    return call.method == method && (call.path + '?' + call.query).find(text) != std::string::npos;
  }));
}

std::string ScriptedGcs::header(const std::string& method, const std::string& text,
                                const std::string& name) const {
  std::string value;
  simdjson::dom::parser parser;
  const HttpAnswer answer = http("GET", url_ + "/_control/log");
  for (const auto item : parser.parse(answer.body).get_array()) {
    const std::string target = string_of(item["path"]) + '?' + string_of(item["query"]);
    if (string_of(item["method"]) != method || target.find(text) == std::string::npos) continue;
    std::string_view found;
    value = item["headers"][name].get(found) == simdjson::SUCCESS ? found : "";
  }
  return value;
}

void ScriptedGcs::await(const std::string& match, int times, bool done) const {
  const HttpAnswer answer =
      http("GET", url_ + "/_control/wait?match=" + escape(match) +
                      "&times=" + std::to_string(times) + (done ? "&done=1" : "") + "&timeout=30s");
  EXPECT_EQ(answer.status, 204) << match;
}

void download(const std::map<std::string, std::string>& objects, const std::string& prefix,
              const std::filesystem::path& folder) {
  for (const auto& [name, content] : objects) {
    ASSERT_TRUE(name.starts_with(prefix)) << name;
    write_file(folder / name.substr(prefix.size()), content);
  }
}

}  // namespace integcov::test
