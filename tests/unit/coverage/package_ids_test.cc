#include "coverage/package_ids.h"

#include <gtest/gtest.h>

#include "unit/coverage/elf_builder.h"
#include "unit/coverage/recorded_image.h"

namespace integcov::coverage {
namespace {

const std::string kHash = "0123456789abcdef";

std::string entry(std::uint64_t blob, std::int64_t id) {
  return little(blob, 8) + little(40, 4) + kHash + little(0, 4) + little(0, 16) +
         little(static_cast<std::uint64_t>(id), 8) + little(0, 8);
}

std::string slice(std::uint64_t address, std::uint64_t length, std::uint64_t capacity) {
  return little(address, 8) + little(length, 8) + little(capacity, 8);
}

// Packages -7, none, -3; the list itself is at 0x100, Meta at 0x40.
Pieces memory() {
  Pieces pieces;
  pieces.add({0x0, std::string(0x100, '\0')});
  pieces.add({0x10, slice(0x3, 5, 5)});
  pieces.add({0x28, slice(0x200, 1, 1)});  // looks like a list, but its entry is no package
  pieces.add({0x40, slice(0x100, 3, 4)});
  pieces.add({0x100, entry(0x300, -7) + entry(0x300, -1) + entry(0x300, -3)});
  pieces.add({0x200, std::string(64, '\0')});
  pieces.add({0x300, little(40, 4) + std::string(12, '\0') + kHash});
  return pieces;
}

TEST(PackageIds, AreThePlacesInTheList) {
  Pieces pieces = memory();
  EXPECT_EQ(read_package_ids(pieces, 0x40), (PackageIds{{-7, 0}, {-3, 2}}));
}

TEST(PackageIds, AListThatCanNotBeOneIsNone) {
  Pieces pieces = memory();
  EXPECT_EQ(read_package_ids(pieces, 0x0), std::nullopt);     // empty
  EXPECT_EQ(read_package_ids(pieces, 0x9000), std::nullopt);  // not readable
  pieces.add({0x40, slice(0x100, 5, 4)});
  EXPECT_EQ(read_package_ids(pieces, 0x40), std::nullopt);
  pieces.add({0x40, slice(0x100, 1 << 20, 1 << 20)});
  EXPECT_EQ(read_package_ids(pieces, 0x40), std::nullopt);
  pieces.add({0x40, slice(0x100, 4, 4)});  // past the end
  EXPECT_EQ(read_package_ids(pieces, 0x40), std::nullopt);
}

TEST(PackageIds, TheListIsFoundByThePackagesHashes) {
  Pieces pieces = memory();
  EXPECT_EQ(find_package_list(pieces, {0x8, 0x100}), 0x40U);
  EXPECT_EQ(find_package_list(pieces, {0x3, 0x100}), 0x40U);
  EXPECT_EQ(find_package_list(pieces, {0x48, 0x100}), std::nullopt);
  pieces.add({0x310, "another"});
  EXPECT_EQ(find_package_list(pieces, {0x8, 0x100}), std::nullopt);
}

}  // namespace
}  // namespace integcov::coverage
