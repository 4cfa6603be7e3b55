// Look-ups: a pixel is stored as the tables of its channels, which serve every tap of every filter
// that meets it.
#include <algorithm>
#include <vector>

#include "runtime/cpu/fast/product.h"
#include "runtime/cpu/fast/signs.h"

namespace tbn::fast {
namespace {

class SignProduct : public Product {
 public:
  SignProduct(const SignOps& ops, const LayerWeights& weights, const Geometry& geometry)
      : Product({weights.rows(), kGroupBlocks * kLanes}),
        channels_(geometry.channels),
        pixel_(groups_of(ops, geometry.channels) * ops.table) {
    std::vector<std::int64_t> taps;
    for (std::int64_t h = 0; h < geometry.kernel.h; ++h) {
      for (std::int64_t w = 0; w < geometry.kernel.w; ++w) {
        taps.push_back((h * geometry.stored_width + w) * pixel_);
      }
    }
    signs_ = prepare(ops, weights, channels_, taps);
  }

  const char* name() const override { return "signs"; }
  std::int64_t pixel() const override { return pixel_; }
  void store(const float* x, std::int64_t pixels, Quantum /*quantum*/, void* to) const override {
    auto* tables = static_cast<float*>(to);
    for (std::int64_t i = 0; i < pixels; ++i) {
      signs_.ops->build(x + i * channels_, channels_, tables + i * pixel_);
    }
  }
  void store_zeros(std::int64_t pixels, Quantum /*quantum*/, void* to) const override {
    std::fill_n(static_cast<float*>(to), pixels * pixel_, 0.0f);
  }

  std::int64_t group_rows() const override {
    return std::min<std::int64_t>(signs_.blocks(), kGroupBlocks) * kLanes;
  }
  void sums(std::int64_t g, const float* /*loaded*/, const void* base, Places places,
            const Quantum* /*quanta*/, std::int64_t /*step*/, float* sums) const override {
    signs_.ops->add(signs_.group(g), static_cast<const float*>(base), places, sums, group_rows());
  }

 private:
  std::int64_t channels_;
  std::int64_t pixel_;
  Signs signs_;
};

}  // namespace

std::unique_ptr<Product> make_sign_product(const SignOps& ops, const LayerWeights& weights,
                                           const Geometry& geometry) {
  return std::make_unique<SignProduct>(ops, weights, geometry);
}

}  // namespace tbn::fast
