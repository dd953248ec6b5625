// Whole uploads against a model of the service: whatever happens, success is reported when and only
// when the file's bytes are there. INTEGCOV_SIMULATION_SEEDS says how many uploads.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>

#include "model_server.h"

namespace integcov::storage::gcs {
namespace {

void check_stored(const upload::Stored& stored, const ObjectSpec& spec, const ModelServer& server) {
  const ModelServer::Object* object = server.find(spec.name);
  if (stored.note.empty()) {
    // A finished session tells what it stored, even if another writer has replaced it since.
    EXPECT_TRUE((object != nullptr && object->is(spec)) || server.from_finished_session());
  } else {
    EXPECT_TRUE(server.traits().hides);
    EXPECT_TRUE(object != nullptr || server.intruded());  // since the 412
  }
  EXPECT_TRUE(!stored.already_there || server.our_commits() == 0);
}

void check_failed(const upload::Failed& failed, const ModelServer& server) {
  EXPECT_NE(failed.reason, "");
  if (failed.retryable) return;
  EXPECT_TRUE(server.traits().no_delete || server.traits().hides ||
              failed.reason.starts_with("HTTP 401"))
      << failed.reason;
}

std::uint64_t seeds() {
  const char* text = std::getenv("INTEGCOV_SIMULATION_SEEDS");
  return text == nullptr ? 300'000 : std::max(20'000ULL, std::strtoull(text, nullptr, 10));
}

ServerTraits traits(Dice& dice) {
  return {
      .hides = dice.chance(15), .no_delete = dice.chance(15), .checks_at_start = dice.chance(50)};
}

// Returns how it ended.
std::string run(std::uint32_t seed) {
  Dice dice(seed);
  ObjectSpec spec{.base_url = "http://h",
                  .bucket = "b",
                  .name = "n",
                  .size = dice.below(12 * kQuantum) + 2,
                  .crc32c = 77,
                  .content_addressed = dice.chance(50),
                  .look_first = dice.chance(30),
                  .multipart_limit = 4 * kQuantum,
                  .chunk_size = dice.below(4) * kQuantum,
                  .boundary = "B"};
  ModelServer server(traits(dice), dice);
  UploadMachine machine(spec);
  const unsigned trouble = static_cast<unsigned>(dice.below(25));
  const std::uint64_t troubled_attempts = dice.below(8);
  for (std::uint64_t i = 0; i < troubled_attempts + 2; ++i) {
    const bool calm = i >= troubled_attempts;
    const auto outcome = attempt(machine, server, dice, calm ? 0 : trouble);
    if (!outcome) continue;
    if (const auto* stored = std::get_if<upload::Stored>(&*outcome)) {
      check_stored(*stored, spec, server);
      return stored->note.empty() ? (stored->already_there ? "already there" : "stored") : "note";
    }
    const auto& failed = std::get<upload::Failed>(*outcome);
    check_failed(failed, server);
    if (!failed.retryable) return "permanent";
  }
  ADD_FAILURE() << "not stored although nothing stood in the way";
  return "not stored";
}

TEST(UploadMachineSimulation, SuccessIsReportedWhenAndOnlyWhenTheBytesAreThere) {
  std::map<std::string, int> endings;
  for (std::uint64_t seed = 0; seed < seeds(); ++seed) {
    ++endings[run(static_cast<std::uint32_t>(seed))];
    ASSERT_FALSE(HasFailure()) << "seed " << seed;
  }
  // The troubles were neither too few nor too many to reach each ending.
  for (const char* ending : {"stored", "already there", "note", "permanent"}) {
    EXPECT_GT(endings[ending], 100) << ending;
  }
  EXPECT_GT(endings["stored"], 10'000);
}

}  // namespace
}  // namespace integcov::storage::gcs
