// Seeded mixes of faults: what is reported as uploaded is there byte for byte, and nothing else is
// missing. INTEGCOV_FAULT_SEEDS says how many mixes (60).
#include <cstdlib>
#include <random>

#include "integration/scenario.h"

namespace integcov::test {
namespace {

constexpr int kShards = 6;

int seeds() {
  const char* text = std::getenv("INTEGCOV_FAULT_SEEDS");
  return text == nullptr ? 60 : std::atoi(text);
}

class Mix {
 public:
  explicit Mix(unsigned seed) : random_(seed) {}
  std::size_t below(std::size_t n) { return random_() % n; }

  std::string rules() {
    std::string rules = "[";
    for (std::size_t n = 1 + below(7); n > 0; --n) rules += (rules == "[" ? "" : ",") + rule();
    return rules + "]";
  }

 private:
  std::string bytes(std::size_t most) { return R"(,"bytes":)" + std::to_string(below(most)); }
  std::string rule() {
    const char* const whom[] = {"POST /upload", "PUT /upload", "* /upload", "GET /storage", "* /"};
    const char* const status[] = {"408", "429", "500", "502", "503", "504"};
    const std::string busy = std::string(R"(,"status":)") + status[below(6)];
    std::string what;
    switch (below(16)) {
      case 0:
      case 1: what = R"("status")" + busy; break;
      case 2: what = R"("early-status")" + busy; break;
      case 3: what = R"("reset-before-body")"; break;
      case 4: what = R"("reset-after-bytes")" + bytes(12 << 20); break;
      case 5: what = R"("reset-after-bytes")" + bytes(1000); break;
      case 6: what = R"("reset-after-commit")"; break;
      case 7: what = R"("commit-then-status")" + busy; break;
      case 8: what = R"("partial-response")"; break;
      case 9: what = R"("cut-response")" + bytes(500); break;
      case 10: what = R"("persist-only")" + bytes(9 << 20); break;
      case 11:
        what = R"("drop-session","status":)" + std::string(below(2) == 0 ? "404" : "410");
        break;
      case 12: what = R"("wrong-crc32c")"; break;
      case 13: what = R"("corrupt")"; break;
      case 14: what = R"("latency","latencyMs":)" + std::to_string(below(300)); break;
      default: what = below(3) == 0 ? R"("stall")" : R"("cut-response","bytes":90000000)";
    }
    return std::string(R"({"match":")") + whom[below(5)] + R"(","skip":)" +
           std::to_string(below(3)) + R"(,"times":)" + std::to_string(1 + below(3)) + R"(,"do":)" +
           what + "}";
  }

  std::mt19937 random_;
};

class RandomFaults : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Shards, RandomFaults, testing::Range(0, kShards));

TEST_P(RandomFaults, SuccessIsReportedWhenAndOnlyWhenTheBytesAreThere) {
  for (int seed = GetParam(); seed < seeds(); seed += kShards) {
    Mix mix(static_cast<unsigned>(seed));
    const Scenario s(mix.below(3) == 0 ? Wire::tls : Wire::plain);
    const std::string rules = mix.rules();
    SCOPED_TRACE("seed " + std::to_string(seed) + ": " + rules);
    const std::string name = mix.below(4) == 0 ? kSomeCovmeta : "blob.bin";
    const std::string mib = mix.below(2) == 0 ? "1" : "10";
    const std::string chunk = mix.below(4) == 0 ? "2MiB" : "0";
    s.store().script(rules);
    const auto ended =
        s.run({program("big"), "-mib", mib, "-name", name},
              {{"INTEGCOV_GCS_CHUNK_SIZE", chunk}, {"INTEGCOV_UPLOAD_TIMEOUT", "40s"}});
    EXPECT_EQ(ended.code, 0);
    s.store().heal();  // what is left of the mix is not for our own questions
    const auto stored = s.stored();
    for (const auto& [file, content] : read_tree(s.coverdir())) {
      const auto found = stored.find(file);
      const bool there = found != stored.end() && found->second == content;
      const bool named = ended.err.find("not uploaded") != std::string::npos &&
                         ended.err.find(file, ended.err.find("not uploaded")) != std::string::npos;
      EXPECT_NE(there, named) << file << "\n" << ended.err;
      // Every fault of these mixes passes; but who hears twice that its request is malformed,
      // because the envelope was damaged, believes it.
      EXPECT_TRUE(!named || rules.find("corrupt") != std::string::npos) << ended.err;
    }
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace integcov::test
