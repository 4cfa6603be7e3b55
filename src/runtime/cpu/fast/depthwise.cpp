// Convolutions of each channel by itself: a tap multiplies a pixel by a row of weights, so that
// the channels are the lanes.
#include <algorithm>
#include <memory>

#include "runtime/cpu/fast/kernel.h"

namespace tbn::fast {
namespace {

constexpr std::int64_t kBandBytes = 256 * 1024;

class Depthwise {
 public:
  Depthwise(const Isa& isa, const LayerShape& shape, reference::Layer layer)
      : isa_(isa), shape_(shape), layer_(std::move(layer)) {
    const std::int64_t lanes = isa_.floats->lanes;
    padded_ = (shape_.channels + lanes - 1) / lanes * lanes;
    const std::int64_t taps = shape_.kernel.h * shape_.kernel.w;
    weights_.resize(static_cast<std::size_t>(taps * padded_));
    for (std::int64_t c = 0; c < shape_.channels; ++c) {
      for (std::int64_t tap = 0; tap < taps; ++tap) {
        weights_[static_cast<std::size_t>(tap * padded_ + c)] =
            layer_.row(c)[static_cast<std::size_t>(tap)];
      }
    }
    layer_.weights = {};
    for (std::int64_t h = 0; h < shape_.kernel.h; ++h) {
      for (std::int64_t w = 0; w < shape_.kernel.w; ++w) {
        taps_.push_back((h * shape_.stored_width() + w) * padded_);
      }
    }
    const std::int64_t row_bytes = shape_.stored_width() * padded_ * 4;
    const std::int64_t fitting = (kBandBytes / row_bytes - shape_.kernel.h) / shape_.stride.h + 1;
    band_rows_ =
        std::clamp<std::int64_t>(std::min(fitting, (shape_.out_h + 3) / 4), 1, shape_.out_h);
  }

  Kernel kernel(std::shared_ptr<const Depthwise> self) const {
    return {.scratch_values = stored_values() + shape_.out_w * padded_,
            .part = [self](const Buffers& b, std::int64_t part) { self->part(b, part); },
            .parts = (shape_.out_h + band_rows_ - 1) / band_rows_};
  }

 private:
  std::int64_t row_values() const { return shape_.stored_width() * padded_; }
  std::int64_t input_rows(std::int64_t rows) const {
    return (rows - 1) * shape_.stride.h + shape_.kernel.h;
  }
  std::int64_t stored_values() const { return input_rows(band_rows_) * row_values(); }

  void store(const float* x, std::int64_t begin, std::int64_t rows, float* to) const {
    std::fill_n(to, input_rows(rows) * row_values(), 0.0f);
    for (std::int64_t i = 0; i < input_rows(rows); ++i) {
      const std::int64_t y = begin * shape_.stride.h + i - shape_.padding.h;
      if (y < 0 || y >= shape_.in_h) continue;
      for (std::int64_t j = 0; j < shape_.in_w; ++j) {
        std::copy_n(x + (y * shape_.in_w + j) * shape_.channels, shape_.channels,
                    to + i * row_values() + (j + shape_.padding.w) * padded_);
      }
    }
  }

  void part(const Buffers& b, std::int64_t part) const {
    const std::int64_t begin = part * band_rows_;
    const std::int64_t rows = std::min(band_rows_, shape_.out_h - begin);
    float* sums = b.scratch + stored_values();
    store(b.inputs[0], begin, rows, b.scratch);
    const Places taps = {taps_.data(), static_cast<std::int64_t>(taps_.size())};
    const Finish finish = {
        1, 1, 0, layer_.gain.data(), layer_.bias.data(), static_cast<int>(layer_.activation)};
    for (std::int64_t i = 0; i < rows; ++i) {
      const float* row = b.scratch + i * shape_.stride.h * row_values();
      for (std::int64_t j = 0; j < shape_.out_w; ++j) {
        isa_.floats->multiply_channels(weights_.data(), padded_,
                                       row + j * shape_.stride.w * padded_, taps,
                                       sums + j * padded_);
      }
      isa_.floats->finish(finish, 0, shape_.channels, sums, padded_, shape_.out_w,
                          b.output + (begin + i) * shape_.out_w * shape_.channels, shape_.channels);
    }
  }

  const Isa& isa_;
  LayerShape shape_;
  reference::Layer layer_;      // without its weights
  std::int64_t padded_ = 0;     // channels, in whole registers
  std::vector<float> weights_;  // [tap][padded]
  std::vector<std::int64_t> taps_;
  std::int64_t band_rows_ = 1;
};

}  // namespace

Kernel make_depthwise(const Isa& isa, const LayerShape& shape, reference::Layer layer) {
  const auto kernel = std::make_shared<const Depthwise>(isa, shape, std::move(layer));
  return kernel->kernel(kernel);
}

}  // namespace tbn::fast
