// Uploads to Google Cloud Storage, played by a server that answers as the real one does.
#include <gtest/gtest.h>

#include <sys/resource.h>

#include "integration/scenario.h"

namespace integcov::test {
namespace {

std::map<std::string, std::string> bucket_env(const TempDir& dir, const ScriptedGcs& store) {
  return {{"INTEGCOV_STORAGE", "gs://bucket/f"},
          {"STORAGE_EMULATOR_HOST", store.url()},
          {"GOCOVERDIR", (dir / "cov").string()}};
}

void expect_all_stored(const TempDir& dir, const ScriptedGcs& store) {
  const TempDir copy;
  download(store.objects(), "f/", copy / "f");
  EXPECT_EQ(read_tree(copy / "f"), read_tree(dir / "cov"));
}

TEST(Uploads, OneMultipartRequestAFile) {
  const TempDir dir;
  const ScriptedGcs store;
  const auto ended = run({go_integcov(), program("hello")}, {.env = bucket_env(dir, store)});
  EXPECT_EQ(ended.code, 0);
  expect_all_stored(dir, store);
  EXPECT_EQ(store.count("POST", "uploadType=multipart"), 2U);
  EXPECT_EQ(store.count("POST", "ifGenerationMatch=0"), 2U);
  EXPECT_EQ(store.calls().size(), 2U + 3U);  // and what this test asked
}

TEST(Uploads, ALargeFileGoesUpInASessionInOnePut) {
  const TempDir dir;
  const ScriptedGcs store;
  const auto ended =
      run({go_integcov(), program("big"), "-mib", "20"}, {.env = bucket_env(dir, store)});
  EXPECT_EQ(ended.code, 0) << ended.err;
  expect_all_stored(dir, store);
  EXPECT_EQ(store.count("POST", "uploadType=resumable"), 1U);
  EXPECT_EQ(store.count("PUT", "upload_id="), 1U);
}

TEST(Uploads, ALargeFileGoesUpInChunks) {
  const TempDir dir;
  const ScriptedGcs store;
  auto env = bucket_env(dir, store);
  env["INTEGCOV_GCS_CHUNK_SIZE"] = "4MiB";
  EXPECT_EQ(run({go_integcov(), program("big"), "-mib", "18"}, {.env = env}).code, 0);
  expect_all_stored(dir, store);
  EXPECT_EQ(store.count("PUT", "upload_id="), 5U);
}

struct Fault {
  const char* name;
  const char* rules;
  const char* mib;  // of the file that `big` writes
};
void PrintTo(const Fault& fault, std::ostream* out) { *out << fault.name; }

class Survives : public testing::TestWithParam<Fault> {};
INSTANTIATE_TEST_SUITE_P(
    Faults, Survives,
    testing::Values(
        Fault{"s503", R"([{"match":"POST /upload","times":3,"do":"status","status":503}])", "1"},
        Fault{"s500_early",
              R"([{"match":"POST /upload","times":2,"do":"early-status","status":500}])", "1"},
        Fault{"s408", R"([{"match":"POST /upload","times":2,"do":"status","status":408}])", "1"},
        Fault{"s429_with_retry_after",
              R"([{"match":"POST /upload","times":2,"do":"status","status":429,"retryAfter":1}])",
              "1"},
        Fault{"reset_before_body",
              R"([{"match":"POST /upload","times":2,"do":"reset-before-body"}])", "1"},
        Fault{"reset_in_the_body",
              R"([{"match":"POST /upload","times":2,"do":"reset-after-bytes","bytes":300}])", "1"},
        Fault{"lost_answer", R"([{"match":"POST /upload","times":3,"do":"reset-after-commit"}])",
              "1"},
        Fault{"commit_then_503",
              R"([{"match":"POST /upload","times":3,"do":"commit-then-status","status":503}])",
              "1"},
        Fault{"half_answer", R"([{"match":"POST /upload","times":2,"do":"partial-response"}])",
              "1"},
        Fault{"wrong_crc32c", R"([{"match":"POST /upload","times":1,"do":"wrong-crc32c"}])", "1"},
        Fault{"session_reset_midway",
              R"([{"match":"PUT /upload","times":2,"do":"reset-after-bytes","bytes":3000000}])",
              "12"},
        Fault{"session_503", R"([{"match":"PUT /upload","times":2,"do":"status","status":503}])",
              "12"},
        Fault{"session_takes_less",
              R"([{"match":"PUT /upload","times":3,"do":"persist-only","bytes":1048576}])", "12"},
        Fault{"session_lost", R"([{"match":"PUT /upload","times":1,"do":"drop-session"}])", "12"},
        Fault{"session_gone",
              R"([{"match":"PUT /upload","times":1,"do":"drop-session","status":410}])", "12"},
        Fault{
            "session_start_fails",
            R"([{"match":"POST /upload","times":3,"do":"status","status":502,"text":"<html>Bad Gateway"}])",
            "12"},
        Fault{"session_answer_lost",
              R"([{"match":"PUT /upload","times":1,"do":"reset-after-commit"}])", "12"}),
    [](const auto& c) { return std::string(c.param.name); });

TEST_P(Survives, AndEveryFileIsStoredExactly) {
  const TempDir dir;
  const ScriptedGcs store;
  store.script(GetParam().rules);
  const auto ended =
      run({go_integcov(), program("big"), "-mib", GetParam().mib}, {.env = bucket_env(dir, store)});
  EXPECT_EQ(ended.code, 0);
  EXPECT_EQ(ended.err.find("not uploaded"), std::string::npos) << ended.err;
  expect_all_stored(dir, store);
}

TEST(Uploads, OneFailingFileStopsNoOther) {
  const TempDir dir;
  const ScriptedGcs store;
  store.script(
      R"([{"match":"POST /upload","contains":"name=f/app.log","times":-1,"do":"status","status":403}])");
  write_file(dir / "cov/app.log", "x");
  const auto ended =
      run({go_integcov(), program("family"), "-n", "3"}, {.env = bucket_env(dir, store)});
  EXPECT_EQ(ended.code, 0);
  EXPECT_EQ(store.objects().size(), 5U);
  EXPECT_NE(ended.err.find("1 of 6 files was not uploaded"), std::string::npos) << ended.err;
  EXPECT_NE(ended.err.find("app.log"), std::string::npos) << ended.err;
  EXPECT_NE(ended.err.find("HTTP 403"), std::string::npos) << ended.err;
}

TEST(Uploads, AnEqualObjectIsSuccess) {
  const TempDir first;
  const TempDir second;
  const ScriptedGcs store;
  run({go_integcov(), program("hello")}, {.env = bucket_env(first, store)});
  const auto ended = run({go_integcov(), program("hello")}, {.env = bucket_env(second, store)});
  EXPECT_EQ(ended.code, 0);
  EXPECT_NE(ended.err.find("uploaded 2 files"), std::string::npos) << ended.err;
  EXPECT_EQ(store.objects().size(), 3U);  // one covmeta, two counters
}

TEST(Uploads, OtherContentIsReplaced) {
  const TempDir dir;
  const ScriptedGcs store;
  for (const char* content : {"one", "another"}) {
    write_file(dir / "cov/app.log", content);
    EXPECT_EQ(run({go_integcov(), "true"}, {.env = bucket_env(dir, store)}).code, 0);
    EXPECT_EQ(store.objects().at("f/app.log"), content);
  }
}

TEST(Uploads, LabelsAndPlatformNamesAreMetadata) {
  const TempDir dir;
  const ScriptedGcs store;
  auto env = bucket_env(dir, store);
  env["INTEGCOV_LABELS"] = "team=coverage,ref=a=b";
  env["K_SERVICE"] = "shop";
  env["POD_NAME"] = "pod-7";
  const auto ended = run({go_integcov(), "--label", "stage=e2e", program("hello")}, {.env = env});
  EXPECT_EQ(ended.code, 0);
  for (const auto& [name, _] : store.objects()) {
    const auto metadata = store.metadata(name);
    EXPECT_EQ(metadata.at("team"), "coverage");
    EXPECT_EQ(metadata.at("ref"), "a=b");
    EXPECT_EQ(metadata.at("stage"), "e2e");
    EXPECT_EQ(metadata.at("k-service"), "shop");
    EXPECT_EQ(metadata.at("integcov-instance"), "pod-7");
    EXPECT_EQ(metadata.at("integcov-run").size(), 32U);
  }
  // On Cloud Run the log is JSON lines.
  EXPECT_TRUE(
      ended.err.starts_with("{\"severity\":\"NOTICE\",\"message\":\"go-integcov: uploaded 2"))
      << ended.err;
  EXPECT_NE(ended.err.find("\"logging.googleapis.com/labels\":{"), std::string::npos);
}

TEST(Uploads, TheUserProjectPays) {
  const TempDir dir;
  const ScriptedGcs store({"-user-project", "payer"});
  auto env = bucket_env(dir, store);
  env["INTEGCOV_GCS_USER_PROJECT"] = "payer";
  EXPECT_EQ(run({go_integcov(), program("hello")}, {.env = env}).code, 0);
  EXPECT_EQ(store.count("POST", "userProject=payer"), 2U);
}

TEST(Uploads, TheUsersKeyEncrypts) {
  const TempDir dir;
  const ScriptedGcs store;
  auto env = bucket_env(dir, store);
  env["INTEGCOV_GCS_KMS_KEY"] = "projects/p/locations/l/keyRings/r/cryptoKeys/k";
  EXPECT_EQ(run({go_integcov(), program("big"), "-mib", "9"}, {.env = env}).code, 0);
  expect_all_stored(dir, store);
  const std::string key = "kmsKeyName=projects%2Fp%2Flocations%2Fl%2FkeyRings%2Fr%2FcryptoKeys%2Fk";
  EXPECT_EQ(store.count("POST", key), 3U) << "one of them the start of a session";
}

TEST(Uploads, GoUpInTheOrderOfTheirWorth) {
  const TempDir dir;
  const ScriptedGcs store;
  const std::string counters = "covcounters.00000000000000000000000000000000.7.";
  const std::vector<std::string> order{kSomeCovmeta, counters + "300", counters + "200",
                                       counters + "100", "app.log"};
  for (const auto& name : order) write_file(dir / "cov" / name, name);
  // So few descriptors leave one upload at a time.
  const auto scarce = [] {
    const rlimit limit{22, 22};
    setrlimit(RLIMIT_NOFILE, &limit);
  };
  const auto ended =
      run({go_integcov(), "true"}, {.env = bucket_env(dir, store), .before_exec = scarce});
  EXPECT_EQ(ended.code, 0) << ended.err;
  std::vector<std::string> went;
  for (const auto& call : store.calls()) {
    const auto at = call.query.find("name=f%2F");
    if (call.method != "POST" || at == std::string::npos) continue;
    went.push_back(call.query.substr(at + 9, call.query.find('&', at) - at - 9));
  }
  EXPECT_EQ(went, order);
}

}  // namespace
}  // namespace integcov::test
