// Inputs as bytes and weights as bits, which become bytes of +1 and -1 a group of rows at a time,
// when they are needed.
#include <vector>

#include "runtime/cpu/fast/byte_panels.h"

namespace tbn::fast {
namespace {

class ByteProduct : public BytePanels {
 public:
  ByteProduct(const ByteOps& ops, const LayerWeights& weights, const Geometry& geometry)
      : BytePanels(ops, ops.rows, ops.vectors, weights.rows(), geometry), ops_(ops) {
    bits_ = weights.in(layout_name("bytes", {1, ops.rows, ops.vectors}), groups() * group_bytes(),
                       [&](const DenseRows& rows, std::byte* to) {
                         pack(rows, reinterpret_cast<std::uint8_t*>(to));
                       });
    std::vector<std::int32_t> totals = weights.totals();
    const std::int64_t padding = inputs() - geometry.channels * geometry.taps();
    for (std::int32_t& total : totals) total -= static_cast<std::int32_t>(padding);  // of -1 each
    set_totals(std::move(totals));
  }

  const char* name() const override { return "bytes"; }
  std::int64_t loaded_values() const override { return group_weights() / 4; }
  void load(std::int64_t g, float* loaded) const override {
    ops_.expand(values_of<std::uint8_t>(bits_) + g * group_bytes(), inputs() / 4 * vectors(g),
                reinterpret_cast<std::int8_t*>(loaded));
  }
  void sums(std::int64_t g, const float* loaded, const void* base, Places places,
            const Quantum* quanta, std::int64_t step, float* sums) const override {
    multiply(ops_, reinterpret_cast<const std::int8_t*>(loaded), g, base, places, quanta, step,
             sums);
  }

 private:
  std::int64_t group_bytes() const { return group_weights() / 8; }

  void pack(const DenseRows& rows, std::uint8_t* bits) const {
    each_weight(rows, [&](std::int64_t place, float weight) {
      if (weight <= 0) return;
      bits[place / 8] = static_cast<std::uint8_t>(bits[place / 8] | 1 << (place % 8));
    });
  }

  const ByteOps& ops_;
  HostTensor bits_;
};

}  // namespace

std::unique_ptr<Product> make_byte_product(const ByteOps& ops, const LayerWeights& weights,
                                           const Geometry& geometry) {
  return std::make_unique<ByteProduct>(ops, weights, geometry);
}

}  // namespace tbn::fast
