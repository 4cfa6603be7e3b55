// Float weights: stored as they are trained.
#include "encodings/rooms.h"

namespace tbn {
namespace {

class FloatRoom final : public Encoding {
 public:
  std::string name(const WeightEncoding& /*encoding*/) const override { return "float"; }

  LayerRows rows(const WeightEncoding& /*encoding*/, const LayerDims& dims,
                 const NodeTensors& tensors) const override {
    return {.outputs = dims.outputs,
            .inputs = dims.inputs,
            .groups = dims.groups,
            .values = FloatRows{tensors.values<float>("weight")},
            .term = {.rows = dims.outputs, .gain = {}}};
  }
};

}  // namespace

const Encoding& float_encoding() {
  static const FloatRoom room;
  return room;
}

}  // namespace tbn
