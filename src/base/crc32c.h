// CRC-32C (Castagnoli, RFC 3720 appendix B.4), the checksum that GCS verifies.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace integcov {

// The checksum of all bytes given so far; start with 0 and feed the result back in.
// crc32c(0, "123456789") == 0xe3069283.
std::uint32_t crc32c(std::uint32_t crc, std::string_view bytes);

// The two implementations, for tests: they agree on every input.
std::uint32_t crc32c_portable(std::uint32_t crc, std::string_view bytes);
bool crc32c_has_hardware();

// base64 of the four bytes, most significant first, as GCS writes it in object resources.
std::string crc32c_base64(std::uint32_t crc);

}  // namespace integcov
