// The trainer's executor against the runtime over a packed model: two programs that share no
// arithmetic must give the same logits. One table holds a network for every op; an op without one
// fails the test.
#include <torch/torch.h>

#include <algorithm>
#include <set>

#include "config/config.h"
#include "graph/passes/passes.h"
#include "parity/parity_cases.h"
#include "parity/parity_cases_norms.h"
#include "parity/parity_cases_sequences.h"
#include "support/catch.h"
#include "support/zoo_cases.h"
#include "tbn/models.h"
#include "tbn/policy.h"
#include "tbn/runtime.h"
#include "train/executor/graph_module.h"
#include "train/executor/tensor_io.h"
#include "train/state/init.h"

using namespace tbn;
using torch::Tensor;

namespace {

using test::ParityCase;

std::vector<ParityCase> all_cases() {
  std::vector<ParityCase> cases(std::begin(test::kImageCases), std::end(test::kImageCases));
  cases.insert(cases.end(), std::begin(test::kSequenceCases), std::end(test::kSequenceCases));
  return cases;
}

// Values a trained network could have: norms of both signs, biases, statistics away from 0 and 1.
void randomize(GraphModule& module, std::uint64_t seed) {
  initialize(module, InitConfig{}, seed);
  torch::manual_seed(seed);
  const torch::NoGradGuard no_grad;
  for (const NamedTensor& named : module.tensors()) {
    Tensor tensor = named.tensor;
    if (named.role == TensorRole::kNormWeight) tensor.normal_(0, 1);
    if (named.role == TensorRole::kNormBias || named.role == TensorRole::kBias) tensor.normal_();
    if (named.role == TensorRole::kRunningMean) tensor.normal_(0, 0.3);
    if (named.role == TensorRole::kRunningVar) tensor.uniform_(0.3, 3);
    if (named.role == TensorRole::kEmbedding) tensor.normal_();
    // A transform's layer starts at 0 and would hide its input.
    if (named.role == TensorRole::kWeight && !tensor.any().item<bool>()) tensor.normal_(0, 0.3);
    if (named.role == TensorRole::kAlpha) tensor.mul_(torch::randn_like(tensor));
  }
}

void check_parity(const Graph& graph, std::uint64_t seed, bool raw_pixels) {
  GraphModule module(graph);
  randomize(module, seed);
  module.eval();
  const torch::NoGradGuard no_grad;
  constexpr std::int64_t kBatch = 3;
  std::vector<std::int64_t> sizes = {kBatch};
  sizes.insert(sizes.end(), graph.input_shape().begin(), graph.input_shape().end());
  const Tensor x =
      raw_pixels ? torch::randint(0, 256, sizes).to(torch::kFloat32) : torch::randn(sizes);
  const Tensor wanted = module.forward(x).contiguous();

  Session session(Network::from(pack_model({graph, state_of(module)})), {.threads = 2});
  Tensor logits = torch::empty(wanted.sizes());
  const auto count = [](const Tensor& t) { return static_cast<std::size_t>(t.numel()); };
  session.run({x.const_data_ptr<float>(), count(x)}, kBatch,
              {logits.mutable_data_ptr<float>(), count(logits)});
  const double scale = wanted.abs().max().item<double>();
  REQUIRE(scale > 0);
  CHECK((logits - wanted).abs().max().item<double>() < 1e-4 * scale);
}

// One step of training, fused and node by node: the same loss, gradients and statistics.
void check_fused_training(const Graph& graph, std::uint64_t seed) {
  GraphModule fused(graph, torch::kFloat64), plain(graph, torch::kFloat64, /*fuse=*/false);
  randomize(fused, seed);
  load_state(plain, state_of(fused), "test");
  std::vector<std::int64_t> sizes = {4};
  sizes.insert(sizes.end(), graph.input_shape().begin(), graph.input_shape().end());
  const Tensor x = torch::randn(sizes, torch::kFloat64);
  for (GraphModule* module : {&fused, &plain}) module->forward(x).square().sum().backward();
  for (std::size_t i = 0; i < fused.tensors().size(); ++i) {
    const NamedTensor &a = fused.tensors()[i], &b = plain.tensors()[i];
    INFO(a.name);
    const bool buffer = is_buffer(a.role);
    CHECK(torch::allclose(buffer ? a.tensor : a.tensor.grad(), buffer ? b.tensor : b.tensor.grad(),
                          1e-7, 1e-7));
  }
}

}  // namespace

TEST_CASE("executor and runtime agree on every form of a convolution and its norm") {
  std::uint64_t seed = 1;
  for (const test::NormCase& c : test::norm_cases()) {
    INFO(c.name);
    check_parity(c.graph, seed++, false);
  }
}

TEST_CASE("every form of a convolution and its norm trains fused as node by node") {
  std::uint64_t seed = 1;
  for (const test::NormCase& c : test::norm_cases()) {
    INFO(c.name);
    check_fused_training(c.graph, seed++);
  }
}

TEST_CASE("executor and runtime agree on a network for every op") {
  std::uint64_t seed = 1;
  for (const ParityCase& c : all_cases()) {
    INFO(c.name);
    check_parity(c.make(), seed++, std::string(c.name) == "normalize");
  }
}

TEST_CASE("every op has a parity case, in its training or its packed form") {
  std::set<std::size_t> covered;
  for (const ParityCase& c : all_cases()) {
    Graph graph = c.make();
    GraphModule module(graph);
    randomize(module, 1);
    for (const Node& node : graph.nodes) covered.insert(node.op.index());
    for (const Node& node : pack_model({graph, state_of(module)}).graph.nodes) {
      covered.insert(node.op.index());
    }
  }
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (([&] {
       INFO("no case holds " << op_name(Op(std::in_place_index<I>)));
       CHECK(covered.count(I) == 1);
     }()),
     ...);
  }
  (std::make_index_sequence<std::variant_size_v<OpVariant>>{});
}

TEST_CASE("executor and runtime agree on every network of the zoo at small width") {
  for (const ModelSpec& spec : test::zoo_cases()) {
    for (const std::int64_t p : {1, 4}) {
      INFO(spec.type << " on " << to_string(spec.input) << " at p = " << p);
      Graph graph = build_model(spec);
      const auto last = std::find_if(graph.nodes.rbegin(), graph.nodes.rend(),
                                     [](const Node& node) { return weights_of(node.op); });
      WeightPolicy policy{.standard = tiled(p)};
      policy.rules.push_back({.match = {last->name}, .encoding = FloatWeights{}});
      apply_policy(graph, policy);
      check_parity(graph, 11, !spec.mean.empty());
    }
  }
}
