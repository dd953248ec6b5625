#include "app/deferred_relocations.h"

#include <elf.h>
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>
#include <system_error>

// What the linker defines: where we are loaded.
extern "C" [[gnu::visibility("hidden")]] ElfW(Ehdr) __ehdr_start;  // NOLINT(*-identifier)

namespace integcov::app {
namespace {

using Word = std::uint64_t;

// Where third_party/defer_relocations.py puts the table, after the program is linked: a DT_RELR of
// the generic ABI, and zeros behind it.
constexpr std::size_t kRoom = 1024;
[[gnu::section(".deferred_relr"), gnu::used]] const Word room[kRoom] = {};

// The compiler is not to know what it points to: it saw other values, and a smaller object.
template <class T>
T* unknown(T* pointer) {
  asm volatile("" : "+r"(pointer));
  return pointer;
}

std::span<const Word> deferred() { return {unknown(room), kRoom}; }

std::byte* at(Word address) {
  return reinterpret_cast<std::byte*>(unknown(&__ehdr_start)) + address;
}

// What can't be written to since the start (PT_GNU_RELRO), whole pages as the C library has it.
std::span<std::byte> read_only_part() {
  const auto* headers = reinterpret_cast<const ElfW(Phdr)*>(at(__ehdr_start.e_phoff));
  for (const ElfW(Phdr) & segment : std::span(headers, __ehdr_start.e_phnum)) {
    if (segment.p_type != PT_GNU_RELRO) continue;
    const Word pages = ~(static_cast<Word>(sysconf(_SC_PAGESIZE)) - 1);
    const Word begin = segment.p_vaddr & pages;
    return {at(begin), ((segment.p_vaddr + segment.p_memsz) & pages) - begin};
  }
  return {};
}

// An even word is the address of one to relocate; an odd one has a bit for each of the 63 behind
// those that came before.
void relocate(std::span<const Word> table) {
  constexpr std::size_t kBits = 63;
  const auto base = reinterpret_cast<Word>(at(0));
  auto* next = reinterpret_cast<Word*>(at(0));
  for (Word entry : table) {
    if (entry == 0) return;
    if (entry % 2 == 0) {
      next = reinterpret_cast<Word*>(at(entry));
      *next++ += base;
      continue;
    }
    Word* word = next;
    for (entry >>= 1; entry != 0; entry >>= 1, ++word) {
      if (entry % 2 != 0) *word += base;
    }
    next += kBits;
  }
}

}  // namespace

void relocate_deferred() {
  static bool done = false;
  const auto table = deferred();
  if (done || table.front() == 0) return;
  const auto memory = read_only_part();
  if (mprotect(memory.data(), memory.size(), PROT_READ | PROT_WRITE) != 0) {
    throw std::system_error(errno, std::generic_category(),
                            "cannot make OpenSSL's and libcurl's tables ready");
  }
  relocate(table);
  done = true;
  mprotect(memory.data(), memory.size(), PROT_READ);  // giving up a right doesn't fail
}

}  // namespace integcov::app
