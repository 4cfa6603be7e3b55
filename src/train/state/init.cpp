// One draw per tensor: those of a layer by the room of its encoding, others by their role. The
// rules are in init.h.
#include "train/state/init.h"

#include <ATen/CPUGeneratorImpl.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "tbn/error.h"
#include "train/state/copies.h"

namespace tbn {
namespace {

using torch::Tensor;

constexpr double kEmbeddingStd = 0.02;

template <class... Ops>
bool is_one_of(const Op& op) {
  return (std::holds_alternative<Ops>(op) || ...);
}

// Whether the values of `id` run into a Target: directly, or through nodes that `passes` lets by.
template <class Target>
bool runs_into(const Graph& graph, NodeId id, bool (*passes)(const Op&)) {
  std::set<NodeId> carriers = {id};
  for (NodeId user = id + 1; user < static_cast<NodeId>(graph.nodes.size()); ++user) {
    const Node& node = graph.node(user);
    const bool reads = std::any_of(node.inputs.begin(), node.inputs.end(),
                                   [&](NodeId input) { return carriers.contains(input); });
    if (!reads) continue;
    if (is_one_of<Target>(node.op)) return true;
    if (passes(node.op)) carriers.insert(user);
  }
  return false;
}

bool activation_follows(const Graph& graph, NodeId id) {
  return runs_into<Activation>(
      graph, id, [](const Op& op) { return is_one_of<BatchNorm, Add>(op) || keeps_copies(op); });
}

// Whether the values of `id`, as they are or in another shape, are a transform's distance from the
// identity.
bool feeds_identity(const Graph& graph, NodeId id) {
  return runs_into<AddIdentity>(graph, id, is_one_of<Reshape>);
}

class Initializer {
 public:
  Initializer(GraphModule& module, const InitConfig& config, std::uint64_t seed)
      : module_(module),
        config_(config),
        generator_(at::make_generator<at::CPUGeneratorImpl>(seed)) {}

  void run() {
    const Graph& graph = module_.graph();
    for (NodeId id = 0; id < static_cast<NodeId>(graph.nodes.size()); ++id) {
      for (const NamedTensor& named : module_.tensors_of(id)) {
        const TrainedWeight* weight = module_.weight_of(id);
        named.tensor.copy_(weight == nullptr ? draw(id, named) : draw_layer(id, *weight, named));
      }
    }
  }

 private:
  Tensor draw_layer(NodeId id, const TrainedWeight& weight, const NamedTensor& named) {
    const bool linear = std::holds_alternative<Linear>(module_.graph().node(id).op);
    const WeightStart start = {config_, generator_, gain(id, linear),
                               linear && feeds_identity(module_.graph(), id)};
    return named.role == TensorRole::kBias ? weight.start_bias(start) : weight.start(named, start);
  }

  Tensor draw(NodeId id, const NamedTensor& named) {
    const auto sizes = named.tensor.sizes();
    switch (named.role) {
      case TensorRole::kNormWeight:
        return starts_apart(id) ? random_signs(sizes) : torch::ones(sizes);
      case TensorRole::kNormBias:
        return starts_apart(id) && activation_follows(module_.graph(), id)
                   ? WeightStart{config_, generator_}.normal(sizes, config_.norm_bias)
                   : torch::zeros(sizes);
      case TensorRole::kEmbedding:
        return WeightStart{config_, generator_}.normal(sizes, kEmbeddingStd);
      case TensorRole::kRunningMean:
        return torch::zeros(sizes);
      case TensorRole::kRunningVar:
        return torch::ones(sizes);
      default:
        TBN_CHECK(false, "'" + named.name + "' belongs to no layer");
    }
  }

  // The standard deviation of a weight times sqrt(m). Convolutions keep the variance of their
  // inputs (He et al. 2015); linear layers, often summed up by residual branches with no norm after
  // them, start as small as LibTorch's float ones.
  double gain(NodeId id, bool linear) const {
    if (linear) return 1 / std::sqrt(3.0);
    return activation_follows(module_.graph(), id) ? std::sqrt(2.0) : 1.0;
  }

  bool starts_apart(NodeId id) const {
    return config_.norms == NormStart::kApart &&
           is_one_of<BatchNorm>(module_.graph().node(id).op) &&
           makes_copies(module_.graph(), source_of(module_.graph(), id));
  }

  Tensor random_signs(at::IntArrayRef sizes) {
    return torch::empty(sizes).bernoulli_(0.5, generator_).mul_(2).sub_(1);
  }

  GraphModule& module_;
  const InitConfig& config_;
  at::Generator generator_;
};

}  // namespace

void initialize(GraphModule& module, const InitConfig& config, std::uint64_t seed) {
  const torch::NoGradGuard no_grad;
  Initializer(module, config, seed).run();
}

}  // namespace tbn
