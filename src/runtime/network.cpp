// Loads packed networks and refuses what is not one.
#include <algorithm>
#include <string_view>

#include "base/finite.h"
#include "base/text.h"
#include "graph/node_rows.h"
#include "graph/passes/features.h"
#include "graph/passes/half_scalars.h"
#include "graph/passes/units.h"
#include "prepare/rule_grammar.h"
#include "runtime/cpu/program.h"
#include "runtime/example_inputs.h"
#include "runtime/plan/limits.h"
#include "runtime/plan/packed_ops.h"
#include "runtime/plan/plan.h"
#include "tbn/error.h"
#include "tbn/file.h"
#include "tbn/runtime.h"

namespace tbn {

namespace {

// [k, ...shape] of F32.
void check_vectors(const HostTensor& tensor, const char* name, const Shape& shape,
                   const std::string& where) {
  Shape wanted = shape;
  wanted.insert(wanted.begin(), tensor.shape().empty() ? 0 : tensor.shape().front());
  if (tensor.dtype() == DType::kF32 && tensor.shape() == wanted) return;
  throw DataError(where + ": test vectors '" + name + "' are " +
                  std::string(to_string(tensor.dtype())) + " " + to_string(tensor.shape()) +
                  ", but the network takes F32 [count, ...] of " + to_string(shape));
}

// A reader that does not know halves must be told of them.
void check_half_feature(const PackedFile& file, const std::string& where) {
  if (std::ranges::find(file.features, "f16") != file.features.end()) return;
  for (const auto& [name, tensor] : file.tensors) {
    if (tensor.dtype() != DType::kF16) continue;
    throw DataError(where + ": tensor " + in_quotes(name) +
                    " is F16, but the file does not name the feature 'f16'; export it again");
  }
}

bool names(const std::vector<std::string>& features, std::string_view word) {
  return std::ranges::find(features, word) != features.end();
}

// A file may name more than its layers need, which its readers then know. But `units` says how its
// numbers are to be taken, and must be named exactly where they are such.
void check_features(const std::vector<std::string>& features, const Network& network,
                    const std::string& where) {
  const std::vector<std::string> needed = features_of(network.graph(), network.tensors());
  for (const std::string& word : needed) {
    if (names(features, word)) continue;
    throw DataError(where + ": its network needs the feature " + in_quotes(word) +
                    ", and the file does not name it; export it again");
  }
  if (names(features, "units") && !names(needed, "units")) {
    throw DataError(where +
                    ": names the feature 'units', and its network has no normalize and affine of "
                    "the same numbers at its ends; export it again");
  }
}

std::vector<std::string> names_of_halves(const TensorMap& tensors) {
  std::vector<std::string> halves;
  for (const auto& [name, tensor] : tensors) {
    if (tensor.dtype() == DType::kF16) halves.push_back(name);
  }
  return halves;
}

// The network's output would otherwise be in other units than its input.
void check_units_are_single(const Model& packed, const std::vector<std::string>& halves,
                            const std::string& where) {
  if (!units_of(packed)) return;
  const std::string& node = packed.graph.node(packed.graph.output).name;
  for (const char* suffix : {".scale", ".bias"}) {
    if (!names(halves, node + suffix)) continue;
    throw DataError(where + ": tensor " + in_quotes(node + suffix) +
                    " is F16; the numbers of a forecaster's units are F32");
  }
}

}  // namespace

std::shared_ptr<const Network> Network::load(const std::filesystem::path& path,
                                             const Limits& limits) {
  return from_file(read_packed(path), path.string(), limits);
}

std::shared_ptr<const Network> Network::parse(std::span<const std::byte> bytes,
                                              const std::string& where, const Limits& limits) {
  return from_file(parse_packed(bytes, where), where, limits);
}

std::shared_ptr<const Network> Network::from_file(PackedFile file, const std::string& where,
                                                  const Limits& limits) {
  check_half_feature(file, where);
  Model model{.graph = graph_from_json(file.graph_json, where), .tensors = std::move(file.tensors)};
  std::shared_ptr<const Network> checked =
      from(std::move(model), std::move(file.metadata), where, limits);
  check_features(file.features, *checked, where);
  // Nobody else has it yet.
  const auto network = std::const_pointer_cast<Network>(checked);
  for (auto& [name, tensor] : file.prepared) {
    network->prepared_.emplace(name, HostTensor::shared(std::move(tensor)));
  }
  if (!file.test_vectors) return checked;
  TestVectors& vectors = *file.test_vectors;
  check_vectors(vectors.output, "verify.output", checked->output_shape(), where);
  if (vectors.generator.empty()) {
    check_vectors(vectors.input, "verify.input", checked->input_shape(), where);
  } else {
    check_generator(vectors.generator, where);
  }
  network->verify_generator_ = std::move(vectors.generator);
  network->verify_input_ = std::move(vectors.input);
  network->verify_output_ = std::move(vectors.output);
  return network;
}

std::shared_ptr<const Network> Network::from(Model packed,
                                             std::map<std::string, std::string> metadata,
                                             const std::string& where, const Limits& limits) {
  try {
    validate(packed.graph);
  } catch (const ConfigError& e) {
    throw DataError(where + ": " + e.what());
  }
  check_packed_ops(packed.graph, where);
  check_scalar_types(packed, where);
  const std::vector<std::string> halves = names_of_halves(packed.tensors);
  widen_scalars(packed);
  check_tensors(packed.graph, packed.tensors, packed_tensors, where);
  // A weight that is no number would turn every answer into none.
  check_finite(packed.tensors, where, "only finite numbers may be in a packed network");
  check_weight_values(packed.graph, packed.tensors, where);
  try {
    plan_memory(packed.graph);
  } catch (const DataError& e) {
    throw DataError(where + ": " + e.what());
  }
  Rule rule = rule_from(metadata, where);
  check_rule_fits(rule, packed.graph.input_shape(), packed.graph.output_shape(), where);
  check_units_are_single(packed, halves, where);
  check_rule_units(rule, units_of(packed).has_value(), where);
  check_limits(packed.graph, limits, where);
  const std::shared_ptr<Network> network(new Network);  // make_shared cannot see the constructor
  network->model_ = std::move(packed);
  network->metadata_ = std::move(metadata);
  network->rule_ = std::move(rule);
  network->where_ = where;
  network->limits_ = limits;
  return network;
}

const HostTensor& Network::verify_input() const {
  const std::lock_guard lock(verify_mutex_);
  if (!verify_generator_.empty()) {
    const std::int64_t count = verify_output_.shape().front();
    verify_input_ = generated_inputs(verify_generator_, graph(), tensors(), count, limits_, where_);
    verify_generator_.clear();
  }
  return verify_input_;
}

std::shared_ptr<const cpu::CpuProgram> Network::program(Backend backend) const {
  const std::lock_guard lock(programs_mutex_);
  std::weak_ptr<const cpu::CpuProgram>& known = programs_[backend];
  std::shared_ptr<const cpu::CpuProgram> program = known.lock();
  if (program == nullptr) {
    try {
      program = std::make_shared<const cpu::CpuProgram>(graph(), tensors(), backend, nullptr,
                                                        fast::Prepared{.held = &prepared_});
    } catch (const DataError& e) {
      throw DataError(where_ + ": " + e.what());
    }
    const std::int64_t values =
        program->arena_values() + program->shared_values() + program->scratch_values();
    check_session_bytes(values * static_cast<std::int64_t>(sizeof(float)), limits_, where_);
    known = program;
  }
  return program;
}

}  // namespace tbn
