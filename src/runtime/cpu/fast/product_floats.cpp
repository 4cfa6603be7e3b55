// Float weights in panels of a few registers of rows, [tap row][tap][channel][row], so that every
// window is a few contiguous runs.
#include <algorithm>

#include "runtime/cpu/fast/product.h"

namespace tbn::fast {
namespace {

class FloatProduct final : public Product {
 public:
  FloatProduct(const FloatOps& ops, const LayerWeights& weights, const Geometry& geometry)
      : Product({weights.rows(), ops.columns}),
        ops_(ops),
        channels_(geometry.channels),
        window_{geometry.kernel.h, geometry.kernel.w * geometry.channels,
                geometry.stored_width * geometry.channels} {
    panels_ =
        weights.floats_in(layout_name("floats", {1, ops.columns}),
                          groups() * panel_values() * static_cast<std::int64_t>(sizeof(float)),
                          [&](const DenseRows& rows, std::byte* to) {
                            pack(rows, geometry.taps(), reinterpret_cast<float*>(to));
                          });
  }

  const char* name() const override { return "floats"; }
  std::int64_t pixel() const override { return channels_; }
  bool stores_inputs() const override { return true; }
  void store(const float* x, std::int64_t pixels, Quantum /*quantum*/, void* to) const override {
    std::copy_n(x, pixels * channels_, static_cast<float*>(to));
  }
  void store_zeros(std::int64_t pixels, Quantum /*quantum*/, void* to) const override {
    std::fill_n(static_cast<float*>(to), pixels * channels_, 0.0f);
  }

  std::int64_t group_rows() const override { return ops_.columns; }
  void sums(std::int64_t g, const float* /*loaded*/, const void* base, Places places,
            const Quantum* /*quanta*/, std::int64_t /*step*/, float* sums) const override {
    ops_.multiply(values_of<float>(panels_) + g * panel_values(), ops_.columns, group(g).count,
                  window_, static_cast<const float*>(base), places, sums, ops_.columns);
  }

 private:
  std::int64_t panel_values() const { return window_.segments * window_.run * ops_.columns; }

  void pack(const DenseRows& rows, std::int64_t taps, float* panels) const {
    for (std::int64_t r = 0; r < all_rows(); ++r) {
      float* to = panels + r / ops_.columns * panel_values() + r % ops_.columns;
      const std::span<const float> row = rows.row(r);
      for (std::int64_t tap = 0; tap < taps; ++tap) {
        for (std::int64_t c = 0; c < channels_; ++c, to += ops_.columns) {
          *to = row[static_cast<std::size_t>(c * taps + tap)];
        }
      }
    }
  }

  const FloatOps& ops_;
  std::int64_t channels_;
  Window window_;
  HostTensor panels_;  // floats [group][k][columns], the last one padded with zeros
};

}  // namespace

std::unique_ptr<Product> make_float_product(const FloatOps& ops, const LayerWeights& weights,
                                            const Geometry& geometry) {
  return std::make_unique<FloatProduct>(ops, weights, geometry);
}

}  // namespace tbn::fast
