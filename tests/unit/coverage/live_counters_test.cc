#include "coverage/live_counters.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "unit/coverage/elf_builder.h"
#include "unit/coverage/recorded_image.h"

namespace integcov::coverage {
namespace {

namespace fs = std::filesystem;
using Reading = LiveCounters::Reading;
using Found = std::variant<LiveCounters, NoCounters, Error>;

std::string content(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

fs::path recorded() { return fs::path(INTEGCOV_SOURCE_DIR) / "tests/unit/coverage/recorded"; }

Found find(RecordedImage& image) {
  return LiveCounters::find(image.file, image.memory, image.auxv, image.cmdline);
}

// Each image was recorded while the program waited for input that never came; the file beside it is
// what the program itself wrote then, at its end.
TEST(LiveCounters, AreWhatTheProgramsThemselvesWrite) {
  int images = 0;
  for (const auto& entry : fs::directory_iterator(recorded())) {
    if (entry.path().extension() != ".image") continue;
    SCOPED_TRACE(entry.path().filename());
    ++images;
    RecordedImage image = parse_image(content(entry.path()));
    auto found = find(image);
    ASSERT_TRUE(std::holds_alternative<LiveCounters>(found));
    auto& live = std::get<LiveCounters>(found);
    const auto hash = live.hash(image.memory, image.hashes);
    ASSERT_TRUE(hash);
    LiveCounters::Buffers buffers;
    ASSERT_EQ(live.read(image.memory, *hash, false, buffers), Reading::moved);

    fs::path own = entry.path();
    const auto expected = parse_counters(content(own.replace_extension(".covcounters")));
    ASSERT_TRUE(expected) << expected.message();
    EXPECT_EQ(buffers.counters.hash, expected->hash);
    EXPECT_EQ(buffers.counters.args, expected->args);
    // With -coverpkg=all the way to the end has counters too.
    if (entry.path().stem().string().ends_with("_all")) {
      EXPECT_EQ(compare(buffers.counters, *expected), Growth::grown);
    } else {
      EXPECT_EQ(buffers.counters.functions, expected->functions);
      EXPECT_EQ(buffers.counters.values, expected->values);
    }
  }
  EXPECT_GE(images, 8);
}

// A program made for the test, with its counters at 0x9000 and its hash at 0x8000.
struct Made {
  RecordedImage image;
  std::vector<std::uint32_t> words{2, 1, 7, 10, 0};
  MetaHash hash{'h'};

  Made() {
    const std::vector<std::string> names{"runtime.covctrs", "runtime.ecovctrs",
                                         "internal/coverage/cfile.finalHash"};
    const std::vector<std::uint64_t> addresses{0x9000, 0x9000 + words.size() * 4, 0x8000};
    std::string strings(1, '\0');
    std::string table;
    for (std::size_t i = 0; i < names.size(); ++i) {
      table += symbol(strings.size(), addresses[i]);
      strings += names[i] + '\0';
    }
    const MadeElf elf{.sections = {{.name = ".symtab", .type = 2, .bytes = table, .link = 2},
                                   {.name = ".strtab", .type = 3, .bytes = strings}}};
    image.file.add({0, elf.bytes()});
    image.auxv = little(kAuxEntry, 8) + little(0x1000, 8);
    image.cmdline = std::string("app\0-a\0\0", 8);
    update();
  }
  void update() {
    std::string bytes;
    for (const std::uint32_t word : words) bytes += little(word, 4);
    image.memory.add({0x9000, bytes});
    image.memory.add({0x8000, std::string(hash.data(), hash.size())});
  }
};

class MadeProgram : public testing::Test {
 protected:
  MadeProgram() {
    auto found = find(made_.image);
    if (auto* live = std::get_if<LiveCounters>(&found)) live_ = std::move(*live);
  }
  Reading read(bool keep_largest = false) {
    made_.update();
    return live_->read(made_.image.memory, made_.hash, keep_largest, buffers_);
  }
  [[nodiscard]] const std::vector<std::uint32_t>& values() const {
    return buffers_.counters.values;
  }

  Made made_;
  std::optional<LiveCounters> live_;
  LiveCounters::Buffers buffers_;
};

TEST_F(MadeProgram, HasTheArgumentsThatGoWrites) {
  ASSERT_TRUE(live_);
  ASSERT_EQ(read(), Reading::moved);
  const std::vector<std::pair<std::string, std::string>> expected{
      {"GOARCH", "amd64"}, {"GOOS", "linux"}, {"argc", "3"},
      {"argv0", "app"},    {"argv1", "-a"},   {"argv2", ""}};
  EXPECT_EQ(buffers_.counters.args, expected);
}

TEST_F(MadeProgram, IsUnchangedOnceItsCountersAreKept) {
  ASSERT_TRUE(live_);
  ASSERT_EQ(read(), Reading::moved);
  EXPECT_EQ(read(), Reading::moved);  // not kept
  live_->keep(buffers_);
  EXPECT_EQ(read(), Reading::unchanged);
  made_.words[3] = 11;
  ASSERT_EQ(read(), Reading::moved);
  EXPECT_EQ(values(), (std::vector<std::uint32_t>{11, 0}));
  made_.hash[0] = 'i';
  live_->keep(buffers_);
  EXPECT_EQ(read(), Reading::moved);  // another covmeta
}

TEST_F(MadeProgram, MayKeepTheLargestOfEachCounter) {
  ASSERT_TRUE(live_);
  ASSERT_EQ(read(true), Reading::moved);
  live_->keep(buffers_);
  made_.words = {2, 1, 7, 9, 1};
  ASSERT_EQ(read(true), Reading::moved);
  EXPECT_EQ(values(), (std::vector<std::uint32_t>{10, 1}));
  EXPECT_EQ(read(false), Reading::moved);
  EXPECT_EQ(values(), (std::vector<std::uint32_t>{9, 1}));
  made_.words = {2, 1, 7, 0xfffffff0, 1};
  ASSERT_EQ(read(true), Reading::moved);
  live_->keep(buffers_);
  made_.words[3] = 4;  // it passed 2^32
  ASSERT_EQ(read(true), Reading::moved);
  EXPECT_EQ(values(), (std::vector<std::uint32_t>{4, 1}));
}

TEST_F(MadeProgram, HasNoHashYetWhileItIsZero) {
  ASSERT_TRUE(live_);
  EXPECT_EQ(live_->hash(made_.image.memory, {}), made_.hash);
  made_.hash = {};
  made_.update();
  EXPECT_EQ(live_->hash(made_.image.memory, {}), std::nullopt);
}

TEST_F(MadeProgram, DamageIsFound) {
  ASSERT_TRUE(live_);
  made_.words = {3, 1, 7, 1, 1};
  EXPECT_EQ(read(), Reading::damaged);
  made_.words = {1, 0x80000001, 7, 1, 0};
  EXPECT_EQ(read(), Reading::unknown_packages);
  made_.image.memory = Pieces();
  EXPECT_EQ(live_->read(made_.image.memory, made_.hash, false, buffers_), Reading::unreadable);
}

TEST(LiveCounters, AFunctionThatIsThereTwiceIsDamage) {
  Made made;
  made.words = {1, 1, 7, 1, 1, 1, 7, 1};
  RecordedImage& image = made.image;
  std::string strings("\0runtime.covctrs\0runtime.ecovctrs\0runtime/coverage.finalHash\0", 61);
  const MadeElf elf{
      .sections = {{.name = ".symtab",
                    .type = 2,
                    .bytes = symbol(1, 0x9000) + symbol(17, 0x9020) + symbol(34, 0x8000),
                    .link = 2},
                   {.name = ".strtab", .type = 3, .bytes = strings}}};
  image.file.add({0, elf.bytes()});
  made.update();
  auto found = find(image);
  ASSERT_TRUE(std::holds_alternative<LiveCounters>(found));
  LiveCounters::Buffers buffers;
  EXPECT_EQ(std::get<LiveCounters>(found).read(image.memory, made.hash, false, buffers),
            Reading::damaged);
}

TEST(LiveCounters, OtherProgramsHaveNone) {
  RecordedImage image;
  EXPECT_TRUE(std::holds_alternative<NoCounters>(find(image)));
  image.file.add({0, "#!/bin/sh\n" + std::string(100, '\n')});
  EXPECT_TRUE(std::holds_alternative<NoCounters>(find(image)));
  image.auxv = little(kAuxEntry, 8) + little(0x1000, 8);
  image.file.add({0, MadeElf{.sections = {{.name = ".text"}}}.bytes()});
  EXPECT_TRUE(std::holds_alternative<NoCounters>(find(image)));
}

std::string why(Found found) {
  const auto* error = std::get_if<Error>(&found);
  return error == nullptr ? "" : error->message;
}

TEST(LiveCounters, SayWhyTheyCanNotBeRead) {
  Made made;
  const std::string auxv = made.image.auxv;
  made.image.auxv.clear();
  EXPECT_EQ(why(find(made.image)), "the kernel doesn't tell where it is loaded");
  made.image.auxv = auxv;

  std::string info = "\xff Go buildinf:" + little(8, 1) + '\2' + std::string(16, '\0');
  const std::string modules = std::string(16, '<') + "build\t-cover=true\n" + std::string(16, '>');
  info += "\6go1.99" + std::string(1, static_cast<char>(modules.size())) + modules;
  made.image.file.add({0, MadeElf{.sections = {{.name = ".go.buildinfo", .bytes = info}}}.bytes()});
  EXPECT_EQ(why(find(made.image)), "it is stripped, and where go1.99 has its counters is unknown");

  const std::string strings("\0runtime.covctrs\0runtime.ecovctrs\0", 34);
  const auto counters = [&](std::uint64_t end) {
    return MadeElf{.sections = {{.name = ".symtab",
                                 .type = 2,
                                 .bytes = symbol(1, 0x9000) + symbol(17, end),
                                 .link = 2},
                                {.name = ".strtab", .type = 3, .bytes = strings}}}
        .bytes();
  };
  made.image.file.add({0, counters(0x9010)});
  EXPECT_EQ(why(find(made.image)),
            "its main package is built without coverage (see -coverpkg), so Go writes none");
  made.image.file.add({0, counters(0x9000)});
  EXPECT_TRUE(std::holds_alternative<NoCounters>(find(made.image)));
}

}  // namespace
}  // namespace integcov::coverage
