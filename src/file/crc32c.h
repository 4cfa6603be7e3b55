// CRC-32C (Castagnoli): the checksum of packed files and of TensorBoard's event records.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace tbn {

// The CRC of what `crc` already covers (0: nothing) followed by `bytes`.
//   crc32c(b, crc32c(a)) == crc32c(ab);  crc32c("123456789") == 0xe3069283
std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t crc = 0);
std::uint32_t crc32c(std::string_view text, std::uint32_t crc = 0);

// The form that TFRecord stores: rotated by 15 bits and offset, so that a CRC over data that holds
// CRCs stays strong.
constexpr std::uint32_t mask_crc32c(std::uint32_t crc) {
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
}

}  // namespace tbn
