// Fills in a PackedFile and lets the reference runtime answer its test vectors.
#include "export/packed_model.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "file/compact.h"
#include "graph/passes/features.h"
#include "graph/short_json.h"
#include "runtime/prepare.h"
#include "tbn/error.h"

namespace tbn {

namespace {

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

void set_feature(PackedFile& file, std::string_view feature, bool is_there) {
  std::set<std::string> features(file.features.begin(), file.features.end());
  features.erase(std::string(feature));
  if (is_there) features.emplace(feature);
  file.features = {features.begin(), features.end()};
}

std::shared_ptr<const Network> network_of(const PackedFile& file, const std::string& where,
                                          const Limits& limits) {
  return Network::from({graph_from_json(file.graph_json, where), file.tensors}, {}, where, limits);
}

}  // namespace

bool is_compact(const PackedFile& file) {
  return std::ranges::find(file.features, kCompactFeature) != file.features.end();
}

void make_compact(PackedFile& file, const std::string& where, const Limits& limits) {
  const auto network = network_of(file, where, limits);
  file.graph_json = to_short_json(network->graph());
  set_feature(file, kCompactFeature, true);
  if (!file.test_vectors || !file.test_vectors->generator.empty()) return;
  TestVectors& vectors = *file.test_vectors;
  // Who verifies would meet the limit too.
  if (!may_generate(network->graph(), vectors.count(), limits)) return;
  const HostTensor made = generated_inputs(kExampleGenerator, network->graph(), network->tensors(),
                                           vectors.count(), limits, where);
  if (made != vectors.input) return;
  vectors.input = {};
  vectors.generator = kExampleGenerator;
  set_feature(file, kGeneratedFeature, true);
}

void make_plain(PackedFile& file, const std::string& where, const Limits& limits) {
  const auto network = network_of(file, where, limits);
  file.graph_json = to_json(network->graph());
  set_feature(file, kCompactFeature, false);
  set_feature(file, kGeneratedFeature, false);
  if (!file.test_vectors || file.test_vectors->generator.empty()) return;
  TestVectors& vectors = *file.test_vectors;
  vectors.input = generated_inputs(vectors.generator, network->graph(), network->tensors(),
                                   vectors.count(), limits, where);
  vectors.generator.clear();
}

PackedFile make_packed_file(const Model& packed, std::map<std::string, std::string> metadata,
                            const HostTensor& verify_input, const Limits& limits) {
  const auto network = Network::from(packed, {}, "packed model", limits);
  PackedFile file{.graph_json = to_json(packed.graph),
                  .tensors = packed.tensors,
                  .features = features_of(packed.graph, packed.tensors),
                  .metadata = std::move(metadata)};
  if (verify_input.count() > 0) file.test_vectors = answer(network, verify_input);
  return file;
}

void prepare_file(PackedFile& file, std::span<const Backend> backends,
                  std::string_view instructions, const std::string& where, const Limits& limits) {
  const auto network = network_of(file, where, limits);
  file.prepared.clear();
  for (const Backend backend : backends) {
    file.prepared.merge(prepare_weights(*network, backend, instructions));
  }
}

}  // namespace tbn
