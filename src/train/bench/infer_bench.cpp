// The tiled network goes to the exporter, its float twin to the quickest executor there is.
#include "train/bench/infer_bench.h"

#include <torch/torch.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "config/data_options.h"
#include "data/registry.h"
#include "graph/passes/passes.h"
#include "tbn/error.h"
#include "train/bench/bench_network.h"
#include "train/bench/dense_network.h"
#include "train/executor/tensor_io.h"
#include "train/run/trainer_graph.h"

namespace tbn {
namespace {

using torch::Tensor;

constexpr std::uint64_t kSeed = 1;

// The network's answer in float64, of the same weights.
Tensor exact_answer(const GraphModule& module, const Tensor& x) {
  GraphModule wide(module.graph(), torch::kFloat64);
  for (std::size_t i = 0; i < module.tensors().size(); ++i) {
    Tensor to = wide.tensors()[i].tensor;
    to.copy_(module.tensors()[i].tensor);
  }
  wide.eval();
  return wide.forward(x.to(torch::kFloat64)).contiguous();
}

using Shared = std::shared_ptr<GraphModule>;

void check_form(const std::string& name, const Shared& form, const Tensor& x,
                const Tensor& wanted) {
  const double error = (form->forward(x) - wanted).abs().max().item<double>();
  const double size = wanted.abs().max().item<double>();
  TBN_CHECK(error <= 1e-3 * size, name + " differs from the network that it runs");
}

double call_seconds(const Shared& form, const Tensor& x) {
  const auto start = std::chrono::steady_clock::now();
  form->forward(x);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// The form whose shortest of a few calls is the shortest.
std::pair<std::string, Shared> quickest_form(
    const std::vector<std::pair<std::string, Shared>>& forms, const Tensor& x) {
  constexpr int kCalls = 5;
  std::size_t best = 0;
  double least = call_seconds(forms[0].second, x);
  for (std::size_t i = 0; i < forms.size(); ++i) {
    for (int c = 0; c < kCalls; ++c) {
      const double seconds = call_seconds(forms[i].second, x);
      if (seconds < least) best = i;
      least = std::min(least, seconds);
    }
  }
  return forms[best];
}

Contender float_rival(const Graph& graph, const Tensor& x) {
  GraphModule twin(graph);
  randomize(twin);
  twin.eval();
  const Tensor wanted = twin.forward(x);
  const Model folded = fold_dense({graph, state_of(twin)});
  const auto eager = std::make_shared<GraphModule>(folded.graph);
  load_state(*eager, folded.tensors, graph.name);
  eager->eval();
  std::vector<std::pair<std::string, Shared>> forms = {{"LibTorch fp32, channels last", eager}};
  if (at::hasMKLDNN()) {
    forms.emplace_back("LibTorch fp32, oneDNN prepacked",
                       std::make_shared<PrepackedModule>(folded, x.size(0)));
  }
  for (const auto& [name, form] : forms) check_form(name, form, x, wanted);
  const auto [name, form] = quickest_form(forms, x);
  return {"float twin in " + name, [form = form, x] {
            const c10::InferenceMode inference;
            form->forward(x);
          }};
}

}  // namespace

InferenceCase inference_case(const Config& config, std::int64_t batch, int threads) {
  at::set_num_threads(threads);
  const c10::InferenceMode inference;
  const SampleSpec spec = describe_data(data_options(config.data));
  torch::manual_seed(kSeed);
  const Tensor x = random_inputs(spec, batch).to(torch::kFloat32);
  GraphModule tiled(bench_graph(config, spec));
  randomize(tiled);
  const Tensor wanted = exact_answer(tiled, x);
  const auto count = [](const Tensor& t) { return static_cast<std::size_t>(t.numel()); };
  const auto* inputs = x.const_data_ptr<float>();
  const auto* outputs = wanted.const_data_ptr<double>();
  return {pack_model({tiled.graph(), state_of(tiled)}),
          {inputs, inputs + count(x)},
          {outputs, outputs + count(wanted)}};
}

Contender processor_rival(const Config& config, std::int64_t batch, int threads) {
  at::set_num_threads(threads);
  const c10::InferenceMode inference;
  const SampleSpec spec = describe_data(data_options(config.data));
  torch::manual_seed(kSeed);
  return float_rival(bench_graph(float_twin(config, spec), spec),
                     random_inputs(spec, batch).to(torch::kFloat32));
}

}  // namespace tbn
