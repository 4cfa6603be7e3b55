// Inputs as bytes, and rows of weights in groups of a few registers: what products that sum bytes
// have in common. A pixel's channels are padded to a multiple of 4 with bytes that stand for 0,
// whatever their weight.
#pragma once

#include <cstring>
#include <utility>
#include <vector>

#include "runtime/cpu/fast/product.h"

namespace tbn::fast {

class BytePanels : public Product {
 public:
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

  std::int64_t group_rows() const override { return lanes_ * most_vectors_; }

 protected:
  // Registers have `lanes` rows, of which `most_vectors` are summed at once.
  BytePanels(const ByteOps& ops, std::int64_t lanes, std::int64_t most_vectors, std::int64_t rows,
             const Geometry& geometry)
      : Product({rows, lanes * most_vectors}),
        ops_(ops),
        lanes_(lanes),
        most_vectors_(most_vectors),
        channels_(geometry.channels),
        pixel_((geometry.channels + 3) / 4 * 4),
        window_{geometry.kernel.h, geometry.kernel.w * pixel_, geometry.stored_width * pixel_} {}

  std::int64_t inputs() const { return window_.segments * window_.run; }  // of a row, padded
  std::int64_t group_weights() const { return inputs() * group_rows(); }
  int vectors(std::int64_t g) const {
    return static_cast<int>((group(g).count + lanes_ - 1) / lanes_);
  }

  // Calls f(place, weight) for each weight, where it lies in [group][k / 4][vector][lane][4].
  template <class F>
  void each_weight(const DenseRows& rows, F f) const {
    const std::int64_t taps = inputs() / pixel_;
    for (std::int64_t r = 0; r < all_rows(); ++r) {
      const std::int64_t g = r / group_rows();
      const std::int64_t lane = r % lanes_, vector = r % group_rows() / lanes_;
      const std::span<const float> row = rows.row(r);
      for (std::int64_t k = 0; k < inputs(); ++k) {
        const std::int64_t tap = k / pixel_, c = k % pixel_;
        if (c >= channels_) continue;
        const std::int64_t place = ((k / 4 * vectors(g) + vector) * lanes_ + lane) * 4 + k % 4;
        f(g * group_weights() + place, row[static_cast<std::size_t>(c * taps + tap)]);
      }
    }
  }

  // The sum of each row's bytes, padding included; before multiply().
  void set_totals(std::vector<std::int32_t> totals) {
    totals_ = std::move(totals);
    totals_.resize(static_cast<std::size_t>(groups() * group_rows()));
  }
  // sums() of a group whose weights lie in [k / 4][vector][lane][4], by ByteOps or IntegerOps.
  template <class Ops>
  void multiply(const Ops& ops, const std::int8_t* weights, std::int64_t g, const void* base,
                Places places, const Quantum* quanta, std::int64_t step, float* sums) const {
    ops.multiply(weights, vectors(g), window_, static_cast<const std::uint8_t*>(base), places,
                 totals_.data() + group(g).first, quanta, step, sums, group_rows());
  }

 private:
  const ByteOps& ops_;
  std::int64_t lanes_;
  std::int64_t most_vectors_;
  std::int64_t channels_;
  std::int64_t pixel_;
  Window window_;
  std::vector<std::int32_t> totals_;  // [row], 0 behind the last
};

}  // namespace tbn::fast
