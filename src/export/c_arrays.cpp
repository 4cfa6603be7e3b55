// Packs bits in the orders that the kernels read.
#include "export/c_arrays.h"

namespace tbn {

TileWords tile_words(const micro::RowSigns& signs) {
  const auto rows = static_cast<std::size_t>(signs.rows);
  const std::size_t inputs = signs.positive.size() / rows;
  TileWords packed;
  packed.words.assign(inputs / 32 * rows, 0);
  packed.tail.assign((inputs % 32 + 7) / 8 * rows, 0);
  for (std::size_t i = 0; i < signs.positive.size(); ++i) {
    if (signs.positive[i] == 0) continue;
    const std::size_t row = i / inputs, k = i % inputs, rest = inputs / 32 * 32;
    if (k < rest) {
      packed.words[k / 32 * rows + row] |= std::uint32_t{1} << (k % 32);
    } else {
      std::uint8_t& byte = packed.tail[(k - rest) / 8 * rows + row];
      byte = static_cast<std::uint8_t>(byte | (1u << ((k - rest) % 8)));
    }
  }
  return packed;
}

std::vector<std::uint8_t> tile_bytes(std::span<const std::uint8_t> positive, std::size_t row_bits) {
  const std::size_t row_bytes = (row_bits + 7) / 8;
  std::vector<std::uint8_t> bytes(positive.size() / row_bits * row_bytes);
  for (std::size_t i = 0; i < positive.size(); ++i) {
    const std::size_t row = i / row_bits, k = i % row_bits;
    std::uint8_t& byte = bytes[row * row_bytes + k / 8];
    byte = static_cast<std::uint8_t>(byte | (positive[i] << (k % 8)));
  }
  return bytes;
}

}  // namespace tbn
