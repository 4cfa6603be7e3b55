// Asks the units, the tensors' types and the encodings.
#include "graph/passes/features.h"

#include <set>

#include "encodings/encoding.h"
#include "graph/passes/units.h"

namespace tbn {

std::vector<std::string> features_of(const Graph& graph, const TensorMap& tensors) {
  std::set<std::string> features;
  if (units_of(graph, tensors)) features.insert("units");
  for (const auto& [name, tensor] : tensors) {
    if (tensor.dtype() == DType::kF16) features.insert("f16");
  }
  for (const Node& node : graph.nodes) {
    const WeightEncoding* encoding = weights_of(node.op);
    if (encoding == nullptr) continue;
    for (const std::string_view word : encoding_of(*encoding).features(*encoding)) {
      features.emplace(word);
    }
  }
  return {features.begin(), features.end()};
}

}  // namespace tbn
