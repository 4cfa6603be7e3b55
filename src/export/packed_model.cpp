// Fills in a PackedFile and lets the reference runtime answer its test vectors.
#include "export/packed_model.h"

#include <cmath>
#include <set>
#include <utility>

#include "encodings/encoding.h"
#include "graph/passes/units.h"
#include "runtime/prepare.h"
#include "tbn/error.h"

namespace tbn {

namespace {

std::vector<std::string> features_of(const Model& packed) {
  std::set<std::string> features;
  if (units_of(packed)) features.insert("units");
  for (const auto& [name, tensor] : packed.tensors) {
    if (tensor.dtype() == DType::kF16) features.insert("f16");
  }
  for (const Node& node : packed.graph.nodes) {
    const WeightEncoding* encoding = weights_of(node.op);
    if (encoding == nullptr) continue;
    for (const std::string_view word : encoding_of(*encoding).features(*encoding)) {
      features.emplace(word);
    }
  }
  return {features.begin(), features.end()};
}

TestVectors answer(const std::shared_ptr<const Network>& network, const HostTensor& input) {
  Shape shape = network->output_shape();
  const std::int64_t batch = input.shape().front();
  shape.insert(shape.begin(), batch);
  TestVectors vectors{.input = input, .output = HostTensor(DType::kF32, shape)};
  const std::span<float> output = vectors.output.values<float>();
  Session(network).run(input.values<float>(), batch, output);
  for (const float value : output) {
    if (std::isfinite(value)) continue;
    throw NonFiniteError("the packed network gives " + std::to_string(value) +
                         " for a test vector; its weights are too large for float arithmetic");
  }
  return vectors;
}

}  // namespace

HostTensor example_inputs(const Graph& graph, std::int64_t count) {
  Shape shape = graph.input_shape();
  shape.insert(shape.begin(), count);
  HostTensor inputs(DType::kF32, shape);
  // A linear congruential generator (Knuth's MMIX); its top byte is random enough for pixels.
  // Points and standardised series lie around 0.
  const bool is_sequence = graph.input_shape().size() == 2;
  std::uint64_t state = 1;
  for (float& value : inputs.values<float>()) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    const auto byte = static_cast<float>(state >> 56);
    value = is_sequence ? byte / 128.0f - 1.0f : byte;
  }
  return inputs;
}

HostTensor example_inputs(const Model& packed, std::int64_t count) {
  HostTensor inputs = example_inputs(packed.graph, count);
  if (const auto units = units_of(packed)) to_original(inputs.values<float>(), *units);
  return inputs;
}

PackedFile make_packed_file(const Model& packed, std::map<std::string, std::string> metadata,
                            const HostTensor& verify_input, const Limits& limits) {
  const auto network = Network::from(packed, {}, "packed model", limits);
  PackedFile file{.graph_json = to_json(packed.graph),
                  .tensors = packed.tensors,
                  .features = features_of(packed),
                  .metadata = std::move(metadata)};
  if (verify_input.count() > 0) file.test_vectors = answer(network, verify_input);
  return file;
}

void prepare_file(PackedFile& file, std::span<const Backend> backends,
                  std::string_view instructions, const std::string& where, const Limits& limits) {
  const auto network =
      Network::from({graph_from_json(file.graph_json, where), file.tensors}, {}, where, limits);
  file.prepared.clear();
  for (const Backend backend : backends) {
    file.prepared.merge(prepare_weights(*network, backend, instructions));
  }
}

}  // namespace tbn
