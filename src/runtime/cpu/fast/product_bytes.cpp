// Inputs as bytes and weights as bits, which become bytes of +1 and -1 a group of rows at a time,
// when they are needed. A pixel's channels are padded to a multiple of 4 with bytes that stand for
// 0, whatever their weight.
#include <algorithm>
#include <cstring>
#include <vector>

#include "runtime/cpu/fast/product.h"

namespace tbn::fast {
namespace {

class ByteProduct : public Product {
 public:
  ByteProduct(const ByteOps& ops, const LayerWeights& weights, const Geometry& geometry)
      : ops_(ops),
        channels_(geometry.channels),
        pixel_((geometry.channels + 3) / 4 * 4),
        rows_(weights.rows()),
        window_{geometry.kernel.h, geometry.kernel.w * pixel_, geometry.stored_width * pixel_} {
    bits_ = weights.in(layout_name("bytes", {1, ops.rows, ops.vectors}), groups() * group_bytes(),
                       [&](const DenseRows& rows, std::byte* to) {
                         pack(rows, geometry.taps(), reinterpret_cast<std::uint8_t*>(to));
                       });
    for (const std::int64_t positives : weights.positives()) {
      totals_.push_back(static_cast<std::int32_t>(2 * positives - inputs()));
    }
    totals_.resize(static_cast<std::size_t>(groups() * most_rows()));
  }

  const char* name() const override { return "bytes"; }
  std::int64_t value_bytes() const override { return 1; }
  std::int64_t pixel() const override { return pixel_; }
  bool quantises() const override { return true; }
  void store(const float* x, std::int64_t pixels, Quantum quantum, void* to) const override {
    auto* bytes = static_cast<std::uint8_t*>(to);
    if (pixel_ == channels_) return ops_.quantise(x, pixels * channels_, quantum, bytes);
    store_zeros(pixels, quantum, to);
    for (std::int64_t i = 0; i < pixels; ++i) {
      ops_.quantise(x + i * channels_, channels_, quantum, bytes + i * pixel_);
    }
  }
  void store_zeros(std::int64_t pixels, Quantum quantum, void* to) const override {
    std::memset(to, quantum.zero ^ ops_.flip, static_cast<std::size_t>(pixels * pixel_));
  }

  std::int64_t groups() const override { return (rows_ + most_rows() - 1) / most_rows(); }
  RowGroup group(std::int64_t g) const override {
    return {g * most_rows(), std::min(most_rows(), rows_ - g * most_rows())};
  }
  std::int64_t group_rows() const override { return most_rows(); }
  std::int64_t loaded_values() const override { return inputs() * most_rows() / 4; }
  void load(std::int64_t g, float* loaded) const override {
    ops_.expand(values_of<std::uint8_t>(bits_) + g * group_bytes(), inputs() / 4 * vectors(g),
                reinterpret_cast<std::int8_t*>(loaded));
  }
  void sums(std::int64_t g, const float* loaded, const void* base, Places places,
            const Quantum* quanta, std::int64_t step, float* sums) const override {
    ops_.multiply(reinterpret_cast<const std::int8_t*>(loaded), vectors(g), window_,
                  static_cast<const std::uint8_t*>(base), places, totals_.data() + group(g).first,
                  quanta, step, sums, most_rows());
  }

 private:
  std::int64_t most_rows() const { return ops_.rows * ops_.vectors; }
  std::int64_t inputs() const { return window_.segments * window_.run; }  // of a row, padded
  std::int64_t group_bytes() const { return inputs() * most_rows() / 8; }
  int vectors(std::int64_t g) const {
    return static_cast<int>((group(g).count + ops_.rows - 1) / ops_.rows);
  }

  // Bits [group][k / 4][vector][row][4].
  void pack(const DenseRows& rows, std::int64_t taps, std::uint8_t* bits) const {
    for (std::int64_t r = 0; r < rows_; ++r) {
      const std::int64_t g = r / most_rows();
      const std::int64_t lane = r % ops_.rows, vector = r % most_rows() / ops_.rows;
      const std::span<const float> row = rows.row(r);
      for (std::int64_t k = 0; k < inputs(); ++k) {
        const std::int64_t tap = k / pixel_, c = k % pixel_;
        if (c >= channels_ || row[static_cast<std::size_t>(c * taps + tap)] <= 0) continue;
        const std::int64_t bit = ((k / 4 * vectors(g) + vector) * ops_.rows + lane) * 4 + k % 4;
        std::uint8_t& byte = bits[g * group_bytes() + bit / 8];
        byte = static_cast<std::uint8_t>(byte | 1 << (bit % 8));
      }
    }
  }

  const ByteOps& ops_;
  std::int64_t channels_;
  std::int64_t pixel_;
  std::int64_t rows_;
  Window window_;
  HostTensor bits_;
  std::vector<std::int32_t> totals_;  // [row], the sum of its weights and of its padding's -1
};

}  // namespace

std::unique_ptr<Product> make_byte_product(const ByteOps& ops, const LayerWeights& weights,
                                           const Geometry& geometry) {
  return std::make_unique<ByteProduct>(ops, weights, geometry);
}

}  // namespace tbn::fast
