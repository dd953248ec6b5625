// One object whose content is replaced by newer versions while the program runs.
#include <algorithm>
#include <csignal>

#include "integration/scenario.h"

namespace integcov::test {
namespace {

using std::chrono::seconds;

const std::string kName = "covcounters.00000000000000000000000000000000.7.100";
const std::string kInsert = "POST /upload/storage/v1/b/bucket/o?uploadType=multipart&name=f%2F";

// A program that runs until it is told to stop, and a file that changes meanwhile.
class Replacing : public testing::Test {
 protected:
  void start(const std::vector<std::string>& flags = {}, Wire wire = Wire::plain) {
    scenario_ = std::make_unique<Scenario>(wire, flags);
    process_ = std::make_unique<Process>(
        Scenario::command({"--log-level=debug", program("sleeper")}), Options{.env = s().env()});
    ASSERT_TRUE(
        eventually([&] { return process_->err().find("uploaded covmeta.") != std::string::npos; }));
  }
  [[nodiscard]] const Scenario& s() const { return *scenario_; }

  // As snapshots are: by rename.
  void put(const std::string& content) const {
    const auto temporary = s().coverdir() / ("tmp." + kName);
    write_file(temporary, content);
    std::filesystem::rename(temporary, s().coverdir() / kName);
  }
  void await_inserts(int times) const { s().store().await(kInsert + kName, times, true); }
  void await_uploads(std::size_t times) const {
    ASSERT_TRUE(
        eventually([&] { return count_of(process_->err(), "uploaded " + kName) >= times; }));
  }
  [[nodiscard]] std::vector<ScriptedGcs::Call> inserts() const {
    std::vector<ScriptedGcs::Call> result;
    for (auto& call : s().store().calls()) {
      if (call.method == "POST" && call.query.find(kName) != std::string::npos) {
        result.push_back(std::move(call));
      }
    }
    return result;
  }
  Ended stop() const {
    process_->send(SIGTERM);
    return process_->wait();
  }

 private:
  std::unique_ptr<Scenario> scenario_;
  std::unique_ptr<Process> process_;
};

TEST_F(Replacing, TheNewestGoesUpOnceASecondUnderItsGeneration) {
  start();
  put("first");
  await_uploads(1);
  for (const char* content : {"second", "third", "fourth"}) put(content);
  EXPECT_TRUE(eventually([&] { return s().stored().at(kName) == "fourth"; }));
  put("fifth");
  const auto ended = stop();
  s().expect_all_stored(ended);
  const auto calls = inserts();
  ASSERT_GE(calls.size(), 3U);  // on a slow machine "second" may go up alone
  EXPECT_EQ(calls.size(), count_of(ended.err, "uploaded " + kName))
      << "each version that was sent took one request";
  EXPECT_NE(calls[0].query.find("ifGenerationMatch=0&"), std::string::npos);
  for (std::size_t i = 1; i < calls.size(); ++i) {
    EXPECT_EQ(calls[i].query.find("ifGenerationMatch=0&"), std::string::npos);
    EXPECT_EQ(calls[i].status, 200);
  }
  EXPECT_GE(calls.back().ms - calls.front().ms,
            static_cast<std::int64_t>(calls.size() - 1) * 1000 - 900)
      << "a second each, less what the first one's way took";
  EXPECT_EQ(s().store().count("GET", kName + "?fields"), 0U) << "no look was needed";
}

TEST_F(Replacing, LostAnswersAreLookedAfter) {
  start();
  s().store().script(R"([{"match":"POST /upload","contains":")" + kName +
                     R"(","times":4,"do":"reset-after-commit"}])");
  put("first");
  await_inserts(1);
  put("second");
  await_inserts(3);
  put("third");
  s().expect_all_stored(stop());
  EXPECT_EQ(s().stored().at(kName), "third");
}

TEST_F(Replacing, ALargeOneHasASessionEachTime) {
  start();
  for (const char letter : {'a', 'b'}) {
    put(std::string(9 << 20, letter));
    await_uploads(letter == 'a' ? 1 : 2);
  }
  s().expect_all_stored(stop());
  EXPECT_EQ(inserts().size(), 2U);
}

TEST_F(Replacing, WithoutTheRightToDeleteAnOlderVersionIsNeverTakenForTheNewest) {
  start({"-rights", "create"}, Wire::tls);
  put("first");
  await_uploads(1);
  put("second");
  const auto ended = stop();
  EXPECT_NE(ended.err.find("may not be replaced"), std::string::npos) << ended.err;
  const auto sizes = s().store().sizes();
  EXPECT_EQ(sizes.at("f/" + kName), std::to_string(std::string("first").size()));
  const std::string without_time = "f/" + kName.substr(0, kName.rfind('.') + 1);
  EXPECT_EQ(std::ranges::count_if(sizes,
                                  [&](const auto& object) {
                                    return object.first.starts_with(without_time) &&
                                           object.second ==
                                               std::to_string(std::string("second").size());
                                  }),
            1)
      << "under a name of its own";
}

}  // namespace
}  // namespace integcov::test
