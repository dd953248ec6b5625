#include "process/process_memory.h"
#include "process/proc.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "unit/process/helper.h"

namespace integcov::process {
namespace {

const std::array<char, 16> kMark{"read from afar!"};

TEST(ProcessMemory, IsReadAtItsAddresses) {
  auto memory = open_memory(getpid());
  ASSERT_TRUE(memory) << memory.message();
  std::array<char, 16> copy{};
  const auto at = reinterpret_cast<std::uintptr_t>(kMark.data());
  ASSERT_TRUE(memory->read(at, std::as_writable_bytes(std::span(copy))));
  EXPECT_EQ(copy, kMark);
  EXPECT_FALSE(memory->read(0, std::as_writable_bytes(std::span(copy))));
  EXPECT_FALSE(memory->read(~std::uint64_t{0} - 8, std::as_writable_bytes(std::span(copy))));
}

TEST(ProcessMemory, NeverShowsWhatIsExecutedLater) {
  Helper helper;
  auto memory = open_memory(helper.pid());
  ASSERT_TRUE(memory) << memory.message();
  std::array<char, 16> copy{};
  const auto at = reinterpret_cast<std::uintptr_t>(kMark.data());
  ASSERT_TRUE(memory->read(at, std::as_writable_bytes(std::span(copy))));  // a copy of ours
  EXPECT_EQ(copy, kMark);
  helper.exec_cat();
  EXPECT_FALSE(memory->read(at, std::as_writable_bytes(std::span(copy))));
}

TEST(ProcessMemory, TheProgramFileIsTheOneThatRuns) {
  auto program = open_program(getpid());
  ASSERT_TRUE(program) << program.message();
  std::array<char, 4> magic{};
  ASSERT_TRUE(program->read(0, std::as_writable_bytes(std::span(magic))));
  EXPECT_EQ(std::memcmp(magic.data(),
                        "\x7f"
                        "ELF",
                        4),
            0);
}

TEST(ProcessMemory, OfNobodyIsAnError) {
  Helper helper;
  const pid_t pid = helper.pid();
  helper.end();
  EXPECT_EQ(open_memory(pid).error().code, ENOENT);
  EXPECT_EQ(open_program(pid).error().code, ENOENT);
  EXPECT_EQ(read_proc_file(pid, "stat"), "");
}

TEST(ProcessMemory, ProcFilesAreReadWhole) {
  EXPECT_TRUE(read_proc_file(getpid(), "stat").starts_with(std::to_string(getpid()) + " ("));
}

}  // namespace
}  // namespace integcov::process
