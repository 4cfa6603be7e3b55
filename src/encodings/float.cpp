// Float weights: stored as they are trained.
#include "encodings/rooms.h"

namespace tbn {
namespace {

constexpr std::int64_t kFloatBits = 32;

class FloatRoom final : public Encoding {
 public:
  std::string_view word() const override { return "float"; }
  WeightEncoding standard() const override { return FloatWeights{}; }
  std::string name(const WeightEncoding& /*encoding*/) const override { return "float"; }

  void check(const WeightEncoding& /*encoding*/, const LayerDims& /*dims*/) const override {}

  EncodingCost cost(const WeightEncoding& /*encoding*/, const LayerDims& dims) const override {
    const std::int64_t bits = kFloatBits * dims.outputs * dims.inputs;
    return {.bits = bits, .bytes = bits / 8, .sums = dims.outputs};
  }

  std::vector<TensorSpec> training_tensors(const WeightEncoding& /*encoding*/,
                                           const LayerDims& dims) const override {
    return {{.name = "weight", .role = TensorRole::kWeight, .shape = dims.weight}};
  }

  std::vector<TensorSpec> packed_tensors(const WeightEncoding& encoding, const LayerDims& dims,
                                         bool /*scaled*/) const override {
    return training_tensors(encoding, dims);
  }

  void pack(WeightEncoding& /*encoding*/, const LayerDims& /*dims*/,
            EditableTensors& /*tensors*/) const override {}

  void absorb(const WeightEncoding& /*encoding*/, const LayerDims& /*dims*/,
              EditableTensors& /*tensors*/, std::span<double> /*scale*/) const override {}

  std::vector<std::string_view> features(const WeightEncoding& /*encoding*/) const override {
    return {};
  }

  LayerRows rows(const WeightEncoding& /*encoding*/, const LayerDims& dims,
                 const NodeTensors& tensors) const override {
    return {.outputs = dims.outputs,
            .inputs = dims.inputs,
            .groups = dims.groups,
            .values = FloatRows{tensors.values<float>("weight")},
            .terms = {{.rows = dims.outputs, .gain = {}}}};
  }
};

}  // namespace

const Encoding& float_encoding() {
  static const FloatRoom room;
  return room;
}

}  // namespace tbn
