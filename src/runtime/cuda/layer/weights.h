// Single weights of a layer, and the inputs that they meet, for kernels that take them one by one.
#pragma once

#include "runtime/cuda/device/device_code.h"
#include "runtime/cuda/layer/layer.h"

namespace tbn::cuda {

// The weight of row r (below `rows`) and tap, channel (of the group): +1 or -1, scaled where the
// form is not of rows.
template <class T>
__device__ __forceinline__ float weight_at(const LayerShape& shape, const LayerData& data, int r,
                                           int tap, int channel) {
  const InputOrder& order = shape.order;
  if (shape.form == WeightForm::kTile) {
    const BitPlace place =
        bit_place(shape.tile_row(r), tap * order.tap_inputs + channel, order.blocks());
    return (data.bits[place.word] >> place.bit & 1u) != 0 ? 1.0f : -1.0f;
  }
  if (shape.form == WeightForm::kFlat) {
    const std::int64_t i =
        (std::int64_t{r} * order.channels + channel) * order.taps + tap;  // as in the file
    const auto bit = static_cast<int>(i % shape.flat_bits);
    const std::int64_t slice = i / shape.flat_bits;
    const float alpha =
        static_cast<const float*>(data.weights)[shape.flat_scalars == 1 ? 0 : slice];
    return (data.bits[bit / 32] >> bit % 32 & 1u) != 0 ? alpha : -alpha;
  }
  const std::int64_t at = std::int64_t{r} * order.inputs() + tap * order.tap_inputs + channel;
  return to_float(static_cast<const T*>(data.weights)[at]);
}

// Pixel m as its image and place.
struct Pixel {
  int image, y, x;
};
__device__ __forceinline__ Pixel pixel_at(const LayerShape& shape, std::int64_t m) {
  const int plane = shape.out_h * shape.out_w;
  const int inside = static_cast<int>(m % plane);
  return {static_cast<int>(m / plane), inside / shape.out_w, inside % shape.out_w};
}

// Where the values of all channels at a tap of a pixel's window begin in x, or -1 in the padding.
__device__ __forceinline__ std::int64_t tap_begin(const LayerShape& shape, const Pixel& pixel,
                                                  int tap) {
  const int y = pixel.y * shape.stride_h - shape.padding_h + tap / shape.kernel_w;
  const int x = pixel.x * shape.stride_w - shape.padding_w + tap % shape.kernel_w;
  if (y < 0 || y >= shape.in_h || x < 0 || x >= shape.in_w) return -1;
  return ((std::int64_t{pixel.image} * shape.in_h + y) * shape.in_w + x) * shape.channels;
}

}  // namespace tbn::cuda
