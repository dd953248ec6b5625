// Small ELF files for tests.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace integcov::coverage {

inline std::string little(std::uint64_t value, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(i < 8 ? value >> 8 * i : 0);
  return out;
}

struct MadeSection {
  std::string name;
  std::uint32_t type = 1;  // SHT_PROGBITS
  std::uint64_t flags = 0;
  std::uint64_t address = 0;
  std::string bytes;
  std::uint32_t link = 0;
};

inline constexpr std::uint64_t kWritable = 3;  // SHF_WRITE | SHF_ALLOC

struct MadeElf {
  std::uint16_t type = 2;  // ET_EXEC
  std::uint16_t machine = 62;
  std::uint64_t entry = 0x1000;
  std::vector<MadeSection> sections;  // the first one has index 1

  [[nodiscard]] std::string bytes() const {
    std::vector<MadeSection> all{{.type = 0}};
    all.insert(all.end(), sections.begin(), sections.end());
    all.push_back({.name = ".shstrtab", .type = 3});
    std::string& names = all.back().bytes;
    std::vector<std::size_t> name_at;
    for (const MadeSection& section : all) {
      name_at.push_back(names.size());
      names += section.name + '\0';
    }
    std::string content;
    std::string headers;
    for (std::size_t i = 0; i < all.size(); ++i) {
      headers += little(name_at[i], 4) + little(all[i].type, 4) + little(all[i].flags, 8) +
                 little(all[i].address, 8) + little(64 + content.size(), 8) +
                 little(all[i].bytes.size(), 8) + little(all[i].link, 4) + little(0, 20);
      content += all[i].bytes;
    }
    return std::string(
               "\x7f"
               "ELF\2\1\1") +
           std::string(9, '\0') + little(type, 2) + little(machine, 2) + little(1, 4) +
           little(entry, 8) + little(0, 8) + little(64 + content.size(), 8) + little(0, 4) +
           little(64, 2) + little(0, 4) + little(64, 2) + little(all.size(), 2) +
           little(all.size() - 1, 2) + content + headers;
  }
};

inline std::string symbol(std::uint64_t name, std::uint64_t value) {
  return little(name, 4) + little(0, 4) + little(value, 8) + little(0, 8);
}

}  // namespace integcov::coverage
