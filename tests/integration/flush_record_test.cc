// The run's own record in storage.
#include <simdjson.h>

#include "integration/flush.h"

namespace integcov::test {
namespace {

using simdjson::dom::element;

std::string text(element value) { return std::string(std::string_view(value)); }

std::map<std::string, std::string> records(const Tree& tree, const std::string& ending) {
  Tree found;
  for (const auto& [name, content] : tree) {
    if (is_record(name) && name.ends_with(ending)) found[name] = content;
  }
  return found;
}

TEST(RunRecord, BothPartsAreThereOnceAndSayWhatRan) {
  const TempDir dir;
  const ScriptedGcs store;
  auto env = Flushing::bucket(dir, store);
  env.merge(
      Flushing::Env{{"POD_NAME", "pod-7"}, {"K_SERVICE", "shop"}, {"INTEGCOV_LABELS", "a=b"}});
  Flushing run(env, {program("driven", "handler")});
  run.driven();
  run.tell("hit 10");
  EXPECT_TRUE(eventually([&] {
    return hits(store) == 10 &&
           records(store.objects(Records::included), ".start.json").size() == 1;
  }));
  EXPECT_TRUE(records(store.objects(Records::included), ".end.json").empty());
  EXPECT_GT(run.signals(), 0);
  EXPECT_EQ(run.end().code, 0);

  const Tree stored = store.objects(Records::included);
  const Tree starts = records(stored, ".start.json");
  const Tree ends = records(stored, ".end.json");
  ASSERT_EQ(starts.size(), 1U);
  ASSERT_EQ(ends.size(), 1U);
  EXPECT_EQ(stored.size(), 4U);
  simdjson::dom::parser start_parser;
  simdjson::dom::parser end_parser;
  const element start = start_parser.parse(starts.begin()->second);
  const element end = end_parser.parse(ends.begin()->second);
  const std::string id = text(start["run"]);
  EXPECT_EQ(id.size(), 32U);
  EXPECT_EQ(starts.begin()->first, "f/integcov." + id + ".start.json");
  EXPECT_EQ(ends.begin()->first, "f/integcov." + id + ".end.json");
  for (const auto& [name, _] : stored) EXPECT_EQ(store.metadata(name).at("integcov-run"), id);

  EXPECT_EQ(text(start["state"]), "running");
  EXPECT_EQ(text(end["state"]), "ended");
  for (const element& record : {start, end}) {
    EXPECT_EQ(std::int64_t(record["format"]), 1);
    EXPECT_EQ(text(record["run"]), id);
    EXPECT_EQ(text(record["go_integcov"]), INTEGCOV_VERSION);
    EXPECT_TRUE(text(record["started"]).starts_with("20"));
    EXPECT_EQ(text(record["metadata"]["integcov-instance"]), "pod-7");
    EXPECT_EQ(text(record["metadata"]["k-service"]), "shop");
    EXPECT_EQ(text(record["metadata"]["a"]), "b");
    EXPECT_EQ(text(record["program"]["path"]), program("driven", "handler"));
    EXPECT_TRUE(text(record["program"]["go_version"]).starts_with("go1."));
    EXPECT_EQ(text(record["program"]["module"]), "example.com/integcov/programs");
  }
  EXPECT_LE(text(end["started"]), text(end["ended"]));
  EXPECT_EQ(std::int64_t(end["exit_status"]["code"]), 0);
  EXPECT_EQ(text(end["flush"]), "signal");
  EXPECT_EQ(bool(end["complete"]), true);
  const simdjson::dom::array processes = end["processes"];
  ASSERT_EQ(processes.size(), 1U);
  const element process = processes.at(0);
  const simdjson::dom::array objects = process["objects"];
  ASSERT_EQ(objects.size(), 1U);
  const std::string object = text(objects.at(0));
  EXPECT_TRUE(stored.contains("f/" + object)) << object;
  EXPECT_TRUE(stored.contains("f/" + text(process["covmeta"])));
  EXPECT_EQ(std::to_string(std::int64_t(process["pid"])), pid_in(object));

  EXPECT_EQ(store.count("POST", "integcov." + id), 0U) << "left out by default";
  std::size_t posts = 0;
  for (const auto& call : store.calls(Records::included)) {
    if (call.method == "POST" && call.query.find("integcov." + id) != std::string::npos) ++posts;
  }
  EXPECT_EQ(posts, 2U);
}

TEST(RunRecord, TheEndGoesUpBesideTheLastCountersAndNeverBefore) {
  // Some counters have to wait for a second: a record that didn't would be seen long before them.
  for (const char* rules :
       {R"([{"match":"POST /upload","contains":"covcounters","times":5,"do":"status",)"
        R"("retryAfter":1}])",
        R"([{"match":"POST /upload","contains":"covcounters","times":-1,"do":"latency",)"
        R"("latencyMs":1000}])"}) {
    const TempDir dir;
    const ScriptedGcs store;
    store.script(rules);
    const auto ended =
        run({go_integcov(), program("family"), "-n", "30"}, {.env = Flushing::bucket(dir, store)});
    EXPECT_EQ(ended.code, 0);
    std::size_t counters = 0;
    std::size_t counters_after = 0;
    std::int64_t record_begun = -1;
    for (const auto& call : store.calls(Records::included)) {
      if (call.method != "POST") continue;
      if (call.query.find(".end.json") != std::string::npos) record_begun = call.ms;
      const bool first = call.query.find("covcounters") != std::string::npos;
      counters += first ? 1 : 0;
      counters_after += first && record_begun >= 0 && call.ms > record_begun + 900 ? 1 : 0;
    }
    EXPECT_GE(record_begun, 0);
    EXPECT_GE(counters, 31U);
    EXPECT_EQ(counters_after, 0U);

    const Tree stored = store.objects(Records::included);
    const Tree ends = records(stored, ".end.json");
    ASSERT_EQ(ends.size(), 1U);
    simdjson::dom::parser parser;
    const element end = parser.parse(ends.begin()->second);
    std::size_t objects = 0;
    for (const element process : end["processes"].get_array()) {
      for (const element object : process["objects"].get_array()) {
        EXPECT_TRUE(stored.contains("f/" + text(object))) << object;
        ++objects;
      }
    }
    EXPECT_EQ(objects, 31U);
  }
}

TEST(RunRecord, TellsHowTheProgramDied) {
  const TempDir dir;
  Flushing run(Flushing::folder(dir), {program("driven", "count")});
  const pid_t app = run.driven();
  run.tell("hit 10");
  EXPECT_TRUE(eventually([&] { return hits(dir / "s") == 10; }));
  kill(app, SIGKILL);
  run.process().wait();
  const Tree ends = records(read_tree(dir / "s", Records::included), ".end.json");
  ASSERT_EQ(ends.size(), 1U);
  simdjson::dom::parser parser;
  const element end = parser.parse(ends.begin()->second);
  EXPECT_EQ(std::int64_t(end["exit_status"]["signal"]), SIGKILL);
  EXPECT_EQ(text(end["flush"]), "memory");
}

TEST(RunRecord, NamesTheRevisionThatTheProgramWasBuiltFrom) {
  const TempDir dir;
  write_file(dir / "source/go.mod", "module example.com/revised\n\ngo 1.20\n");
  // It ends when we say so: one that has ended can't be looked at.
  write_file(dir / "source/main.go",
             "package main\n\nimport \"os\"\n\nfunc main() { os.Stdin.Read(make([]byte, 1)) }\n");
  const auto in_source = [&](std::vector<std::string> command) {
    const auto ended =
        run(std::move(command),
            {.env = {{"GIT_CONFIG_GLOBAL", "/dev/null"}, {"GIT_CONFIG_NOSYSTEM", "1"}},
             .cwd = dir / "source"});
    EXPECT_EQ(ended.code, 0) << ended.err;
    return ended.out;
  };
  in_source({"git", "init", "-q"});
  in_source({"git", "add", "."});
  in_source({"git", "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "a"});
  in_source({INTEGCOV_GO, "build", "-cover", "-buildvcs=true", "-o", (dir / "app").string(), "."});
  const std::string revision = in_source({"git", "rev-parse", "HEAD"});

  Flushing app(Flushing::folder(dir), {(dir / "app").string()});
  EXPECT_TRUE(eventually(
      [&] { return !records(read_tree(dir / "s", Records::included), ".start.json").empty(); }));
  EXPECT_EQ(app.end().code, 0);
  const Tree tree = read_tree(dir / "s", Records::included);
  for (const char* ending : {".start.json", ".end.json"}) {
    const Tree found = records(tree, ending);
    ASSERT_EQ(found.size(), 1U);
    simdjson::dom::parser parser;
    const element record = parser.parse(found.begin()->second);
    EXPECT_EQ(text(record["program"]["module"]), "example.com/revised");
    EXPECT_EQ(text(record["program"]["vcs_revision"]) + '\n', revision);
    EXPECT_EQ(text(record["program"]["vcs_modified"]), "false");
  }
}

TEST(RunRecord, ThereIsNoneWithoutCoverage) {
  const TempDir dir;
  EXPECT_EQ(run({go_integcov(), "true"}, {.env = Flushing::folder(dir)}).code, 0);
  EXPECT_TRUE(read_tree(dir / "cov", Records::included).empty());
  EXPECT_TRUE(read_tree(dir / "s", Records::included).empty());
}

}  // namespace
}  // namespace integcov::test
