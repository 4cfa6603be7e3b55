// Where the bits of a tile lie on the device: in the order in which the matrix units of a warp take
// them, so that each lane loads what it multiplies with one 128-bit load and expands a pair of
// weights with a shift and one logical operation.
//
// The inputs of a row are numbered tap by tap, k = tap * tap_inputs + channel, because images lie
// channels last. Sixteen rows and 256 inputs are one block of 512 bytes: four words per lane. Lane
// 4 g + t holds the weights of rows g and g + 8 (words 0 and 1 for inputs 0..127, 2 and 3 for the
// others) whose inputs leave 2 t or 2 t + 1 when divided by 8: the fragments of eight products
// m16n8k16. Of a word, bit 2 s + h is input 16 s + 8 h + 2 t, and the bit 16 above it the next
// input: shifted left by 15 - (2 s + h), both stand where 16-bit floats have their signs.
#pragma once

#include <cuda_runtime_api.h>

#include <compare>
#include <cstdint>

namespace tbn::cuda {

inline constexpr int kBlockRows = 16;
inline constexpr int kBlockInputs = 256;
inline constexpr int kBlockWords = 128;
// Channels of a tap are padded to so many where there are at least half as many: one step of the
// matrix kernels never meets two taps.
inline constexpr int kTapInputs = 64;

// How the inputs of a layer's rows are numbered.
struct InputOrder {
  int taps = 1;        // kernel_h * kernel_w
  int channels = 0;    // of a group
  int tap_inputs = 0;  // channels, or more
  auto operator<=>(const InputOrder&) const = default;

  static InputOrder of(int taps, int channels) {
    const int padded = (channels + kTapInputs - 1) / kTapInputs * kTapInputs;
    return {taps, channels, taps > 1 && 2 * channels >= kTapInputs ? padded : channels};
  }
  __host__ __device__ int inputs() const { return taps * tap_inputs; }
  // The blocks of a row as it is stored.
  __host__ __device__ int blocks() const { return (inputs() + kBlockInputs - 1) / kBlockInputs; }
};

struct BitPlace {
  std::int64_t word;
  int bit;
};

// The place of the weight of row r and input k; `blocks` is InputOrder::blocks().
__host__ __device__ inline BitPlace bit_place(int r, int k, int blocks) {
  const std::int64_t block = std::int64_t{r / kBlockRows} * blocks + k / kBlockInputs;
  const int lane = r % 8 * 4 + k % 8 / 2;
  const int word = k % kBlockInputs / 128 * 2 + r % kBlockRows / 8;
  const int bit = k % 128 / 16 * 2 + k % 16 / 8 + 16 * (k % 2);
  return {block * kBlockWords + lane * 4 + word, bit};
}

// Words of a tile of that many rows.
__host__ __device__ inline std::int64_t tile_words(int rows, int blocks) {
  return std::int64_t{(rows + kBlockRows - 1) / kBlockRows} * blocks * kBlockWords;
}

}  // namespace tbn::cuda
