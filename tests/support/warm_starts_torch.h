// What the tests of warm starts share: small networks with weights that were never trained, and
// files of them.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <filesystem>
#include <string>

#include "config/config.h"
#include "file/safetensors.h"
#include "support/catch.h"
#include "support/temp_dir.h"
#include "tbn/models.h"
#include "train/executor/graph_module.h"
#include "train/executor/tensor_io.h"
#include "train/state/checkpoint.h"
#include "train/state/init.h"

namespace tbn::test {

// A ResNet-18 an eighth as wide; its layers but the classifier have these weights.
inline Graph resnet(const WeightEncoding& encoding, std::int64_t classes = 10) {
  Graph graph = build_model({.type = "resnet18",
                             .options = {{"width", 0.125}},
                             .input = {3, 16, 16},
                             .task = {.output = {classes}}});
  for (Node& node : graph.nodes) {
    WeightEncoding* weights = weights_of(node.op);
    if (weights != nullptr && node.name != "classifier") *weights = encoding;
  }
  return graph;
}

// One layer of `outputs` x `inputs`, "fc".
inline Graph one_layer(std::int64_t outputs, std::int64_t inputs, const WeightEncoding& encoding) {
  GraphBuilder b("one");
  return b.finish(b.input({inputs}).linear(outputs, {.weights = encoding}).named("fc"));
}

// Initialised, and every buffer and bias moved from its plain start.
inline GraphModule trained(const Graph& graph, std::uint64_t seed) {
  GraphModule module(graph);
  initialize(module, InitConfig{}, seed);
  const torch::NoGradGuard no_grad;
  torch::manual_seed(static_cast<std::int64_t>(seed));
  for (const NamedTensor& named : module.tensors()) {
    torch::Tensor tensor = named.tensor;
    tensor.add_(torch::rand_like(tensor), 0.01);
  }
  return module;
}

inline torch::Tensor tensor_of(const GraphModule& module, const std::string& name) {
  for (const NamedTensor& named : module.tensors()) {
    if (named.name == name) return named.tensor.detach().clone();
  }
  FAIL("no tensor " + name);
  return {};
}

inline double rms(const torch::Tensor& t) {
  return t.to(torch::kDouble).square().mean().sqrt().item<double>();
}

inline std::string save(const TempDir& folder, const TensorMap& tensors) {
  const auto path = folder / "float.safetensors";
  write_safetensors(path, tensors, {});
  return path.string();
}

inline void save_checkpoint(const std::filesystem::path& path, const GraphModule& module,
                            const TensorMap& averages = {}) {
  std::filesystem::create_directories(path.parent_path());
  write_checkpoint(path, {.model = state_of(module), .ema = averages, .graph = module.graph()});
}

inline bool same(const torch::Tensor& a, const torch::Tensor& b) { return torch::equal(a, b); }

// Largest difference, relative to the largest value.
inline double difference(const torch::Tensor& a, const torch::Tensor& b) {
  const torch::Tensor x = a.to(torch::kDouble);
  const torch::Tensor y = b.to(torch::kDouble);
  return ((x - y).abs().max() / y.abs().max()).item<double>();
}

}  // namespace tbn::test
