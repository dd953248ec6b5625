// Objects that are replaced version after version, against a model of the service: success means
// that exactly the newest bytes are there, whatever became of the older ones and their late
// requests. INTEGCOV_SIMULATION_SEEDS says how many objects.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>

#include "model_server.h"

namespace integcov::storage::gcs {
namespace {

std::uint64_t seeds() {
  const char* text = std::getenv("INTEGCOV_SIMULATION_SEEDS");
  return text == nullptr ? 100'000 : std::max(20'000ULL, std::strtoull(text, nullptr, 10));
}

// What the backend remembers of an object and what the session makes of it.
class Process {
 public:
  explicit Process(std::uint32_t seed)
      : dice_(seed),
        server_({.hides = dice_.chance(30),
                 .no_delete = dice_.chance(30),
                 .checks_at_start = dice_.chance(50),
                 .other_writers = dice_.chance(20)},
                dice_),
        trouble_(static_cast<unsigned>(dice_.below(20))) {}

  // Counts how each version ended.
  void run(std::map<std::string, int>& endings) {
    ObjectSpec first = spec();
    if (dice_.chance(10)) {  // what an earlier run left
      server_.store_foreign(first);
      tried_ = true;
    }
    const std::uint64_t versions = 1 + dice_.below(6);
    for (std::uint64_t i = 1; i <= versions; ++i) {
      version_ = static_cast<std::uint32_t>(i);
      const bool last = i == versions;
      std::string ending = store(last);
      ++endings[ending];
      if (ending != "may not replace") continue;
      rename();
      ending = store(last);
      ++endings[ending + " under a new name"];
      EXPECT_TRUE(ending != "may not replace" || server_.traits().other_writers);
    }
  }

 private:
  ObjectSpec spec() {
    return {.base_url = "http://h",
            .bucket = "b",
            .name = name_,
            .size = sizes_.at(version_ % sizes_.size()),
            .crc32c = 70 + version_ * 10,
            .unique_name = true,
            .replaces = tried_,
            .generation = generation_,
            .multipart_limit = 4 * kQuantum,
            .chunk_size = dice_.below(3) * kQuantum,
            .boundary = "B"};
  }

  void rename() {
    name_ += "x";
    tried_ = false;
    generation_ = 0;
  }

  // The last version has the time to succeed; any other may be overtaken.
  std::string store(bool last) {
    const ObjectSpec spec = this->spec();
    UploadMachine machine(spec);
    const std::uint64_t troubled = dice_.below(5);
    tried_ = true;
    for (std::uint64_t i = 0; i < troubled + (last ? 2 : 0); ++i) {
      const auto outcome = attempt(machine, server_, dice_, i < troubled ? trouble_ : 0);
      if (!outcome) continue;
      if (std::holds_alternative<upload::Stored>(*outcome)) return on_stored(machine);
      const auto& failed = std::get<upload::Failed>(*outcome);
      EXPECT_NE(failed.reason, "");
      if (failed.retryable) continue;
      if (failed.may_not_replace) {
        EXPECT_TRUE(server_.traits().hides || server_.traits().no_delete) << failed.reason;
        EXPECT_TRUE(server_.find(spec.name) != nullptr || server_.traits().other_writers);
        return "may not replace";
      }
      EXPECT_TRUE(failed.reason.starts_with("HTTP 401")) << failed.reason;
    }
    EXPECT_FALSE(last) << "not stored although nothing stood in the way";
    return "overtaken";
  }

  std::string on_stored(const UploadMachine& machine) {
    const ModelServer::Object* object = server_.find(name_);
    if (!server_.traits().other_writers) {
      EXPECT_TRUE(object != nullptr && object->is(machine.spec()));
      EXPECT_TRUE(machine.generation() == 0 || machine.generation() == object->generation);
    }
    generation_ = machine.generation();
    return "stored";
  }

  Dice dice_;
  ModelServer server_;
  unsigned trouble_;
  std::vector<std::uint64_t> sizes_{kQuantum, kQuantum, 6 * kQuantum + 1};
  std::uint32_t version_ = 0;
  std::string name_ = "n";
  bool tried_ = false;
  std::uint64_t generation_ = 0;
};

TEST(ReplacingSimulation, SuccessMeansThatTheNewestBytesAreThere) {
  std::map<std::string, int> endings;
  for (std::uint64_t seed = 0; seed < seeds(); ++seed) {
    Process(static_cast<std::uint32_t>(seed)).run(endings);
    ASSERT_FALSE(HasFailure()) << "seed " << seed;
  }
  for (const char* ending : {"stored", "overtaken", "may not replace", "stored under a new name"}) {
    EXPECT_GT(endings[ending], 1000) << ending;
  }
}

}  // namespace
}  // namespace integcov::storage::gcs
