// Goes over the tensors that each node names.
#include "graph/passes/half_scalars.h"

#include <charconv>
#include <cmath>

#include "base/half.h"
#include "base/text.h"
#include "graph/passes/units.h"
#include "tbn/error.h"

namespace tbn {
namespace {

// Each tensor of `packed` that may be half.
template <class ModelT, class Visit>
void for_each(ModelT& packed, const Visit& visit) {
  for (const Node& node : packed.graph.nodes) {
    for (const TensorSpec& spec : packed_tensors(packed.graph, node)) {
      const auto found = packed.tensors.find(spec.name);
      if (found == packed.tensors.end() || !may_be_half(spec.role)) continue;
      visit(node, spec.name, found->second);
    }
  }
}

void check_room(const HostTensor& floats, const std::string& name, const std::string& where) {
  for (const float value : floats.values<float>()) {
    if (!std::isfinite(value) || std::isfinite(from_half(to_half(value)))) continue;
    char number[32];
    const auto end = std::to_chars(number, number + sizeof number, value);
    throw ConfigError(where + ": tensor " + in_quotes(name) + " holds " +
                      std::string(number, end.ptr) +
                      ", and numbers in half precision end at 65,504; export with --scalars f32");
  }
}

}  // namespace

bool may_be_half(TensorRole role) {
  switch (role) {
    case TensorRole::kAlpha:
    case TensorRole::kScale:
    case TensorRole::kBias:
    case TensorRole::kNormWeight:
    case TensorRole::kNormBias:
      return true;
    case TensorRole::kWeight:
    case TensorRole::kLatent:
    case TensorRole::kAlphaLatent:
    case TensorRole::kEmbedding:
    case TensorRole::kRunningMean:
    case TensorRole::kRunningVar:
    case TensorRole::kTile:
    case TensorRole::kLevels:
      return false;
  }
  return false;
}

void narrow_scalars(Model& packed, const std::string& where) {
  const std::string units = units_of(packed) ? packed.graph.node(packed.graph.output).name : "";
  for_each(packed, [&](const Node& node, const std::string& name, HostTensor& tensor) {
    if (tensor.dtype() != DType::kF32 || node.name == units) return;
    check_room(tensor, name, where);
    tensor = narrowed(tensor);
  });
}

void widen_scalars(Model& packed) {
  for_each(packed, [](const Node&, const std::string&, HostTensor& tensor) {
    if (tensor.dtype() == DType::kF16) tensor = widened(tensor);
  });
}

void check_scalar_types(const Model& packed, const std::string& where) {
  for_each(packed, [&](const Node&, const std::string& name, const HostTensor& tensor) {
    if (tensor.dtype() == DType::kF32 || tensor.dtype() == DType::kF16) return;
    throw DataError(where + ": tensor " + in_quotes(name) + " is " +
                    std::string(to_string(tensor.dtype())) +
                    "; scalars, biases and the numbers of layer norms are F32 or F16");
  });
}

}  // namespace tbn
