// Bytes from text and back, and safetensors files built by hand.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tbn::test {

inline std::vector<std::byte> to_bytes(std::string_view text) {
  std::vector<std::byte> bytes(text.size());
  if (!text.empty()) std::memcpy(bytes.data(), text.data(), text.size());
  return bytes;
}

inline std::string to_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline std::string little_endian_u64(std::uint64_t value) {
  std::string text;
  for (int i = 0; i < 8; ++i) text += static_cast<char>((value >> (8 * i)) & 0xff);
  return text;
}

// The header's length, the header as it is given, and the data.
inline std::string safetensors_text(std::string_view header, std::string_view data) {
  return little_endian_u64(header.size()) + std::string(header) + std::string(data);
}

}  // namespace tbn::test
