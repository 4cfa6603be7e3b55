// Pooling of images that lie channels last: whole pixels are compared or added up.
#include <algorithm>
#include <limits>

#include "runtime/cpu/fast/kernel.h"

namespace tbn::fast {
namespace {

// Calls f(pixel) for the pixels of each window inside the image, between begin(output pixel) and
// end(output pixel).
template <class Begin, class F, class End>
void each_window(Size2 kernel, Size2 stride, Size2 padding, const Shape& input, const Shape& output,
                 const Buffers& b, Begin begin, F f, End end) {
  const std::int64_t channels = input[0];
  float* y = b.output;
  for (std::int64_t i = 0; i < output[1]; ++i) {
    for (std::int64_t j = 0; j < output[2]; ++j, y += channels) {
      const std::int64_t top = i * stride.h - padding.h, left = j * stride.w - padding.w;
      begin(y);
      for (std::int64_t r = std::max<std::int64_t>(top, 0); r < std::min(top + kernel.h, input[1]);
           ++r) {
        for (std::int64_t c = std::max<std::int64_t>(left, 0);
             c < std::min(left + kernel.w, input[2]); ++c) {
          f(b.inputs[0] + (r * input[2] + c) * channels, y);
        }
      }
      end(y);
    }
  }
}

}  // namespace

Kernel make_max_pool(const Isa& isa, const MaxPool2d& op, const Shape& input, const Shape& output) {
  return in_floats([=, ops = isa.floats, channels = input[0]](const Buffers& b) {
    each_window(
        op.kernel, op.stride, op.padding, input, output, b,
        [=](float* y) { std::fill_n(y, channels, -std::numeric_limits<float>::infinity()); },
        [=](const float* x, float* y) { ops->largest(x, y, channels); }, [](float*) {});
  });
}

Kernel make_avg_pool(const Isa& isa, const AvgPool2d& op, const Shape& input, const Shape& output) {
  const auto area = static_cast<float>(op.kernel.h * op.kernel.w);
  return in_floats([=, ops = isa.floats, channels = input[0]](const Buffers& b) {
    each_window(
        op.kernel, op.stride, 0, input, output, b,
        [=](float* y) { std::fill_n(y, channels, 0.0f); },
        [=](const float* x, float* y) { ops->add(x, y, y, channels); },
        [=](float* y) { std::for_each_n(y, channels, [=](float& v) { v /= area; }); });
  });
}

Kernel make_global_avg_pool(const Isa& isa, const Shape& input) {
  const std::int64_t channels = input[0];
  const std::int64_t pixels = input[1] * input[2];
  return in_floats([=, ops = isa.floats](const Buffers& b) {
    std::fill_n(b.output, channels, 0.0f);
    for (std::int64_t i = 0; i < pixels; ++i) {
      ops->add(b.inputs[0] + i * channels, b.output, b.output, channels);
    }
    std::for_each_n(b.output, channels, [=](float& v) { v /= static_cast<float>(pixels); });
  });
}

}  // namespace tbn::fast
