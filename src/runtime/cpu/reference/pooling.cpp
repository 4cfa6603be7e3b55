// Pooling over windows and over whole maps.
#include <algorithm>
#include <cmath>
#include <limits>

#include "runtime/cpu/reference/kernel.h"

namespace tbn::reference {

namespace {

// One dimension of a window, cut to the map: positions [begin, end).
struct Range {
  std::int64_t begin;
  std::int64_t end;
};
Range window(std::int64_t position, std::int64_t kernel, std::int64_t stride, std::int64_t padding,
             std::int64_t size) {
  const std::int64_t begin = position * stride - padding;
  return {std::max<std::int64_t>(begin, 0), std::min(begin + kernel, size)};
}

// Calls f(map, rows, columns, output) for every window of every channel.
template <class F>
void each_window(Size2 kernel, Size2 stride, Size2 padding, const Shape& input, const Shape& output,
                 const Buffers& b, F f) {
  float* out = b.output;
  for (std::int64_t c = 0; c < output[0]; ++c) {
    const float* map = b.inputs[0] + c * input[1] * input[2];
    for (std::int64_t i = 0; i < output[1]; ++i) {
      const Range rows = window(i, kernel.h, stride.h, padding.h, input[1]);
      for (std::int64_t j = 0; j < output[2]; ++j) {
        *out++ = f(map, rows, window(j, kernel.w, stride.w, padding.w, input[2]));
      }
    }
  }
}

}  // namespace

Kernel make_max_pool(const MaxPool2d& op, const Shape& input, const Shape& output) {
  return {.run = [=](const Buffers& b) {
    const auto maximum = [&](const float* map, Range rows, Range columns) {
      float best = -std::numeric_limits<float>::infinity();
      for (std::int64_t y = rows.begin; y < rows.end; ++y) {
        for (std::int64_t x = columns.begin; x < columns.end; ++x) {
          const float value = map[y * input[2] + x];
          if (value > best || std::isnan(value)) best = value;
        }
      }
      return best;
    };
    each_window(op.kernel, op.stride, op.padding, input, output, b, maximum);
  }};
}

Kernel make_avg_pool(const AvgPool2d& op, const Shape& input, const Shape& output) {
  const auto area = static_cast<float>(op.kernel.h * op.kernel.w);
  return {.run = [=](const Buffers& b) {
    const auto mean = [&](const float* map, Range rows, Range columns) {
      float sum = 0;
      for (std::int64_t y = rows.begin; y < rows.end; ++y) {
        for (std::int64_t x = columns.begin; x < columns.end; ++x) sum += map[y * input[2] + x];
      }
      return sum / area;
    };
    each_window(op.kernel, op.stride, 0, input, output, b, mean);
  }};
}

Kernel make_global_avg_pool(const Shape& input) {
  const std::int64_t channels = input[0];
  const std::int64_t size = input[1] * input[2];
  return {.run = [=](const Buffers& b) {
    for (std::int64_t c = 0; c < channels; ++c) {
      float sum = 0;
      for (std::int64_t i = 0; i < size; ++i) sum += b.inputs[0][c * size + i];
      b.output[c] = sum / static_cast<float>(size);
    }
  }};
}

}  // namespace tbn::reference
