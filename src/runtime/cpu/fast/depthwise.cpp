// Convolutions of each channel by itself: a tap multiplies a pixel by a row of weights, so that
// the channels are the lanes.
#include <algorithm>
#include <iterator>
#include <memory>
#include <vector>

#include "runtime/cpu/fast/kernel.h"

namespace tbn::fast {
namespace {

constexpr std::int64_t kBandBytes = 192 * 1024;
constexpr std::int64_t kBlockRegisters = 4;  // of channels that are stored and summed at once

class Depthwise {
 public:
  Depthwise(const Isa& isa, const LayerImages& shape, LayerOutputs layer, const DenseRows& weights)
      : isa_(isa), shape_(shape), layer_(std::move(layer)) {
    const std::int64_t lanes = isa_.floats->lanes;
    const std::int64_t registers = (shape_.channels + lanes - 1) / lanes;
    block_ = std::min(kBlockRegisters, registers) * lanes;
    blocks_ = (shape_.channels + block_ - 1) / block_;
    for (std::int64_t h = 0; h < shape_.kernel.h; ++h) {
      for (std::int64_t w = 0; w < shape_.kernel.w; ++w) {
        taps_.push_back((h * shape_.stored_width() + w) * block_);
      }
    }
    const auto taps = std::ssize(taps_);
    weights_.resize(static_cast<std::size_t>(blocks_ * taps * block_));
    for (std::int64_t c = 0; c < shape_.channels; ++c) {
      for (std::int64_t tap = 0; tap < taps; ++tap) {
        weights_[static_cast<std::size_t>((c / block_ * taps + tap) * block_ + c % block_)] =
            weights.row(c)[static_cast<std::size_t>(tap)];
      }
    }
    const std::int64_t fitting =
        (kBandBytes / (4 * row_values()) - shape_.kernel.h) / shape_.stride.h + 1;
    band_rows_ = std::clamp<std::int64_t>(fitting, 1, shape_.out_h);
    bands_ = (shape_.out_h + band_rows_ - 1) / band_rows_;
  }

  Kernel kernel(const std::shared_ptr<const Depthwise>& self) const {
    return {.scratch_values = stored_values() + shape_.out_w * block_,
            .part = [self](const Buffers& b, std::int64_t part) { self->part(b, part); },
            .parts = bands_ * blocks_,
            .name = "depthwise"};
  }

 private:
  std::int64_t row_values() const { return shape_.stored_width() * block_; }
  std::int64_t input_rows(std::int64_t rows) const {
    return (rows - 1) * shape_.stride.h + shape_.kernel.h;
  }
  std::int64_t stored_values() const { return input_rows(band_rows_) * row_values(); }

  // Channels [first, first + count) of the padded input rows of a band.
  void store(const float* x, std::int64_t first, std::int64_t count, std::int64_t begin,
             std::int64_t rows, float* to) const {
    std::fill_n(to, input_rows(rows) * row_values(), 0.0f);
    for (std::int64_t i = 0; i < input_rows(rows); ++i) {
      const std::int64_t y = begin * shape_.stride.h + i - shape_.padding.h;
      if (y < 0 || y >= shape_.in_h) continue;
      for (std::int64_t j = 0; j < shape_.in_w; ++j) {
        std::copy_n(x + (y * shape_.in_w + j) * shape_.channels + first, count,
                    to + i * row_values() + (j + shape_.padding.w) * block_);
      }
    }
  }

  void part(const Buffers& b, std::int64_t part) const {
    const std::int64_t block = part / bands_, begin = part % bands_ * band_rows_;
    const std::int64_t rows = std::min(band_rows_, shape_.out_h - begin);
    const std::int64_t first = block * block_;
    const std::int64_t count = std::min(block_, shape_.channels - first);
    float* sums = b.scratch + stored_values();
    store(b.inputs[0], first, count, begin, rows, b.scratch);
    const Places taps = {taps_.data(), std::ssize(taps_)};
    const Finish finish = {1,
                           1,
                           0,
                           layer_.term().gain.data(),
                           layer_.bias.data(),
                           static_cast<int>(layer_.activation),
                           nullptr};
    for (std::int64_t i = 0; i < rows; ++i) {
      isa_.floats->multiply_channels(weights_.data() + block * taps.count * block_, block_,
                                     b.scratch + i * shape_.stride.h * row_values(),
                                     shape_.stride.w * block_, shape_.out_w, taps, sums);
      isa_.floats->finish(finish, first, count, sums, block_, shape_.out_w,
                          b.output + (begin + i) * shape_.out_w * shape_.channels, shape_.channels);
    }
  }

  const Isa& isa_;
  LayerImages shape_;
  LayerOutputs layer_;
  std::int64_t block_ = 0;  // channels of a block, in whole registers
  std::int64_t blocks_ = 1;
  std::vector<float> weights_;  // [block][tap][channel]
  std::vector<std::int64_t> taps_;
  std::int64_t band_rows_ = 1;
  std::int64_t bands_ = 1;
};

}  // namespace

Kernel make_depthwise(const Isa& isa, const LayerImages& shape, LayerOutputs layer,
                      const DenseRows& weights) {
  const auto kernel = std::make_shared<const Depthwise>(isa, shape, std::move(layer), weights);
  return kernel->kernel(kernel);
}

}  // namespace tbn::fast
