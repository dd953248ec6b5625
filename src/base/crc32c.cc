#include "base/crc32c.h"

#include <array>
#include <cstring>

#include "base/encoding.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <nmmintrin.h>
#endif

namespace integcov {
namespace {

constexpr std::uint32_t kPolynomial = 0x82f63b78;  // 0x1edc6f41 with its bits reversed

constexpr std::array<std::uint32_t, 256> make_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
    table[byte] = crc;
  }
  return table;
}

constexpr auto kTable = make_table();

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) std::uint32_t crc32c_sse42(std::uint32_t crc,
                                                             std::string_view bytes) {
  std::uint64_t state = crc ^ 0xffffffffU;
  const char* p = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 8; left -= 8, p += 8) {
    std::uint64_t word;
    std::memcpy(&word, p, sizeof word);
    state = _mm_crc32_u64(state, word);
  }
  auto tail = static_cast<std::uint32_t>(state);
  for (; left > 0; --left, ++p) tail = _mm_crc32_u8(tail, static_cast<unsigned char>(*p));
  return tail ^ 0xffffffffU;
}
#endif

}  // namespace

bool crc32c_has_hardware() {
#if defined(__x86_64__)
  // Asked here and not by __builtin_cpu_supports(), whose part of the start is ten times this: a
  // virtual machine takes microseconds for each CPUID.
  unsigned eax = 0;
  unsigned ebx = 0;
  unsigned ecx = 0;
  unsigned edx = 0;
  return __get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0 && (ecx & bit_SSE4_2) != 0;
#else
  return false;
#endif
}

std::uint32_t crc32c_portable(std::uint32_t crc, std::string_view bytes) {
  crc ^= 0xffffffffU;
  for (const char c : bytes)
    crc = (crc >> 8) ^ kTable[(crc ^ static_cast<unsigned char>(c)) & 0xff];
  return crc ^ 0xffffffffU;
}

std::uint32_t crc32c(std::uint32_t crc, std::string_view bytes) {
#if defined(__x86_64__)
  static const bool hardware = crc32c_has_hardware();
  if (hardware) return crc32c_sse42(crc, bytes);
#endif
  return crc32c_portable(crc, bytes);
}

std::string crc32c_base64(std::uint32_t crc) {
  const std::array<char, 4> big_endian{static_cast<char>(crc >> 24), static_cast<char>(crc >> 16),
                                       static_cast<char>(crc >> 8), static_cast<char>(crc)};
  return base64_encode({big_endian.data(), big_endian.size()});
}

}  // namespace integcov
