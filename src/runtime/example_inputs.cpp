// A linear congruential generator (Knuth's MMIX); its top byte is random enough for pixels.
#include "runtime/example_inputs.h"

#include "base/text.h"
#include "graph/passes/units.h"
#include "tbn/error.h"

namespace tbn {
namespace {

void use_units(HostTensor& inputs, const Graph& graph, const TensorMap& tensors) {
  if (const auto units = units_of(graph, tensors)) to_original(inputs.values<float>(), *units);
}

}  // namespace

HostTensor example_inputs(const Graph& graph, std::int64_t count) {
  Shape shape = graph.input_shape();
  shape.insert(shape.begin(), count);
  HostTensor inputs(DType::kF32, shape);
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
  use_units(inputs, packed.graph, packed.tensors);
  return inputs;
}

void check_generator(std::string_view generator, const std::string& where) {
  if (generator == kExampleGenerator) return;
  throw DataError(where + ": its test vectors are made by the generator " + in_quotes(generator) +
                  ", which this tbn does not know; upgrade tbn, or "
                  "export the file with --layout plain");
}

bool may_generate(const Graph& graph, std::int64_t count, const Limits& limits) {
  const auto each = static_cast<std::int64_t>(sizeof(float)) * element_count(graph.input_shape());
  return count <= limits.memory_bytes / each;
}

HostTensor generated_inputs(std::string_view generator, const Graph& graph,
                            const TensorMap& tensors, std::int64_t count, const Limits& limits,
                            const std::string& where) {
  check_generator(generator, where);
  if (!may_generate(graph, count, limits)) {
    throw DataError(where + ": the inputs of its " + grouped(static_cast<std::uint64_t>(count)) +
                    " test vectors take more than the limit of " +
                    grouped(static_cast<std::uint64_t>(limits.memory_bytes)) + " bytes");
  }
  HostTensor inputs = example_inputs(graph, count);
  use_units(inputs, graph, tensors);
  return inputs;
}

}  // namespace tbn
