// Inputs and weights as bytes; the weights of padding are 0.
#include "runtime/cpu/fast/byte_panels.h"

namespace tbn::fast {
namespace {

class IntegerProduct : public BytePanels {
 public:
  IntegerProduct(const IntegerOps& ops, const ByteOps& bytes, const LayerWeights& weights,
                 const Geometry& geometry)
      : BytePanels(bytes, ops.rows, ops.vectors, weights.rows(), geometry), ops_(ops) {
    weights_ = weights.in(layout_name("integers", {1, ops.rows, ops.vectors}),
                          groups() * group_weights(), [&](const DenseRows& rows, std::byte* to) {
                            each_weight(rows, [&](std::int64_t place, float weight) {
                              to[place] = static_cast<std::byte>(static_cast<int>(weight));
                            });
                          });
    set_totals(weights.totals());
  }

  const char* name() const override { return "integers"; }
  void sums(std::int64_t g, const float* /*loaded*/, const void* base, Places places,
            const Quantum* quanta, std::int64_t step, float* sums) const override {
    multiply(ops_, values_of<std::int8_t>(weights_) + g * group_weights(), g, base, places, quanta,
             step, sums);
  }

 private:
  const IntegerOps& ops_;
  HostTensor weights_;
};

}  // namespace

std::unique_ptr<Product> make_integer_product(const IntegerOps& ops, const ByteOps& bytes,
                                              const LayerWeights& weights,
                                              const Geometry& geometry) {
  return std::make_unique<IntegerProduct>(ops, bytes, weights, geometry);
}

}  // namespace tbn::fast
