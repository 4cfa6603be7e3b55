// Every encoding in training: its products are those of its dense weight, which is the one that the
// packed file holds, and it takes a trained weight.
#include <torch/torch.h>

#include <functional>

#include "config/config.h"
#include "graph/node_rows.h"
#include "graph/passes/passes.h"
#include "support/catch.h"
#include "support/encoding_cases.h"
#include "train/encodings/trained_weight.h"
#include "train/executor/graph_module.h"
#include "train/executor/tensor_io.h"
#include "train/state/init.h"

using namespace tbn;
using torch::Tensor;

namespace {

// The table's encodings, and tiles and integers in every form that they train in.
std::vector<WeightEncoding> forms() {
  std::vector<WeightEncoding> all;
  for (const test::EncodingCase& c : test::encoding_cases()) all.push_back(c.weights);
  for (const std::int64_t p : {1, 2, 4, 9}) {  // the tiles of 9 cut rows
    for (const AlphaScope alpha : {AlphaScope::kTile, AlphaScope::kLayer, AlphaScope::kOutput}) {
      for (const AlphaSource from :
           {AlphaSource::kWeight, AlphaSource::kScores, AlphaSource::kLearned}) {
        for (const LatentForm latent : {LatentForm::kFull, LatentForm::kShared}) {
          for (const TileOrder order : {TileOrder::kRepeat, TileOrder::kInterleave}) {
            if (p == 9 && order == TileOrder::kInterleave) continue;
            all.push_back(TiledWeights{p, alpha, from, latent, order});
          }
        }
      }
    }
  }
  for (std::int64_t bits = 2; bits <= 8; ++bits) all.push_back(uniform(bits));
  return all;
}

std::string text_of(const WeightEncoding& encoding) {
  std::string text = to_string(encoding);
  if (const auto* tiled = std::get_if<TiledWeights>(&encoding)) {
    text += " " + std::string(to_string(tiled->alpha)) + " " +
            std::string(to_string(tiled->alpha_from)) + " " +
            std::string(to_string(tiled->latent)) + " " + std::string(to_string(tiled->order));
  }
  return text;
}

// Mean magnitudes are not the nearest scalars of slices that share their signs.
bool fits_scalars(const WeightEncoding& encoding) {
  const auto* tiled = std::get_if<TiledWeights>(&encoding);
  return tiled == nullptr || tiled->p == 1 || tiled->alpha_from == AlphaSource::kLearned;
}

struct Layer {
  std::string name;
  Shape input;
  std::int64_t groups;
};
const Layer kLayers[] = {{"linear", {5, 6}, 1},
                         {"conv", {6, 5, 4}, 1},
                         {"grouped", {12, 5, 4}, 2},
                         {"depthwise", {12, 5, 4}, 12}};

Graph graph_of(const Layer& layer, const WeightEncoding& encoding) {
  GraphBuilder b("one");
  const Value x = b.input(layer.input);
  if (layer.input.size() == 2) return b.finish(x.linear(12, {.weights = encoding}).named("layer"));
  return b.finish(
      x.conv(12,
             {.kernel = 3, .stride = 2, .groups = layer.groups, .bias = true, .weights = encoding})
          .named("layer"));
}

GraphModule started(const Graph& graph) {
  GraphModule module(graph, torch::kFloat64);
  initialize(module, InitConfig{}, 3);
  return module;
}

const TrainedWeight& weight_of(const GraphModule& module) {
  return *module.weight_of(module.graph().output);
}

Tensor batch_of(const Layer& layer) {
  std::vector<std::int64_t> sizes = {3};
  sizes.insert(sizes.end(), layer.input.begin(), layer.input.end());
  return torch::randn(sizes, torch::kFloat64);
}

// y and the gradients of x and of all parameters, of the sum of squares.
std::vector<Tensor> trained(GraphModule& module, const Tensor& x,
                            const std::function<Tensor(const Tensor&)>& layer) {
  Tensor input = x.clone().requires_grad_();
  module.zero_grad();
  const Tensor y = layer(input);
  y.square().sum().backward();
  std::vector<Tensor> values = {y.detach(), input.grad()};
  for (const Tensor& parameter : module.parameters()) values.push_back(parameter.grad().clone());
  return values;
}

}  // namespace

TEST_CASE("the products of every encoding are those of its dense weight, gradients too") {
  torch::manual_seed(1);
  for (const Layer& layer : kLayers) {
    for (const WeightEncoding& encoding : forms()) {
      INFO(layer.name << " " << text_of(encoding));
      GraphModule module = started(graph_of(layer, encoding));
      const TrainedWeight& weight = weight_of(module);
      const Tensor bias = module.tensor_of(module.graph().output, TensorRole::kBias);
      const ConvGeometry geometry = {{2, 2}, {1, 1}, layer.groups};
      const bool linear = layer.input.size() == 2;
      const Tensor x = batch_of(layer);
      const auto own = trained(module, x, [&](const Tensor& in) {
        return linear ? weight.linear(in, bias) : weight.conv2d(in, bias, geometry);
      });
      const auto dense = trained(module, x, [&](const Tensor& in) {
        return linear ? weight.TrainedWeight::linear(in, bias)
                      : weight.TrainedWeight::conv2d(in, bias, geometry);
      });
      REQUIRE(own.size() == dense.size());
      for (std::size_t i = 0; i < own.size(); ++i) {
        INFO(i);
        CHECK(torch::allclose(own[i], dense[i], 1e-9, 1e-9));
      }
    }
  }
}

TEST_CASE("every encoding takes a trained weight, and computes with one that is nearer to it") {
  torch::manual_seed(2);
  for (const Layer& layer : kLayers) {
    for (const WeightEncoding& encoding : forms()) {
      INFO(layer.name << " " << text_of(encoding));
      const torch::NoGradGuard no_grad;
      const GraphModule module = started(graph_of(layer, encoding));
      const TrainedWeight& weight = weight_of(module);
      const Tensor w = torch::randn(weight.dims().weight, torch::kFloat64);
      const double before = (weight.dense() - w).norm().item<double>();
      weight.take(w);
      const double after = (weight.dense() - w).norm().item<double>();
      if (!fits_scalars(encoding)) continue;
      CHECK(after < before);
      CHECK(after < w.norm().item<double>());
      // What it made of the weight it keeps.
      const Tensor kept = weight.dense().clone();
      weight.take(kept);
      CHECK(torch::allclose(weight.dense(), kept, 1e-9, 1e-9));
    }
  }
}

TEST_CASE("what a file holds of a layer is the dense weight of training, in every encoding") {
  for (const WeightEncoding& encoding : forms()) {
    for (const Graph& graph : test::layers_of(encoding)) {
      INFO(text_of(encoding) << " " << op_name(graph.node(1).op));
      GraphModule module(graph);
      initialize(module, InitConfig{}, 4);
      const torch::NoGradGuard no_grad;
      Model packed{graph, state_of(module)};
      pack_tiles(packed);
      const std::vector<float> stored =
          expanded(layer_rows(packed.graph, packed.tensors, packed.graph.node(1)));
      const Tensor dense = module.weight_of(1)->dense();
      CHECK(torch::allclose(torch::tensor(stored), dense.flatten(), 1e-5, 1e-8));
    }
  }
}

TEST_CASE("a seed starts a layer alike, whatever its parameters held") {
  for (const Layer& layer : kLayers) {
    for (const WeightEncoding& encoding : forms()) {
      INFO(layer.name << " " << text_of(encoding));
      GraphModule first = started(graph_of(layer, encoding));
      GraphModule second(first.graph(), torch::kFloat64);
      const torch::NoGradGuard no_grad;
      for (const NamedTensor& named : second.tensors()) named.tensor.normal_();
      initialize(second, InitConfig{}, 3);
      for (std::size_t i = 0; i < first.tensors().size(); ++i) {
        CHECK(torch::equal(first.tensors()[i].tensor, second.tensors()[i].tensor));
      }
      CHECK(weight_of(first).dense().abs().max().item<double>() > 0);
    }
  }
}
