// One draw a tensor, by its role; the rules are in init.h.
#include "train/state/init.h"

#include <ATen/CPUGeneratorImpl.h>

#include <algorithm>
#include <cmath>

#include "tbn/error.h"

namespace tbn {
namespace {

using torch::Tensor;

constexpr double kEmbeddingStd = 0.02;

bool reads(const Node& node, NodeId id) {
  return std::find(node.inputs.begin(), node.inputs.end(), id) != node.inputs.end();
}

// Whether the values of `id` run into an activation: directly, or through norms and sums.
bool activation_follows(const Graph& graph, NodeId id) {
  for (NodeId user = id + 1; user < static_cast<NodeId>(graph.nodes.size()); ++user) {
    const Node& node = graph.node(user);
    if (!reads(node, id)) continue;
    if (std::holds_alternative<Activation>(node.op)) return true;
    const bool passes =
        std::holds_alternative<BatchNorm>(node.op) || std::holds_alternative<Add>(node.op);
    if (passes && activation_follows(graph, user)) return true;
  }
  return false;
}

// Whether the values of `id`, as they are or in another shape, are a transform's distance from the
// identity.
bool feeds_identity(const Graph& graph, NodeId id) {
  for (NodeId user = id + 1; user < static_cast<NodeId>(graph.nodes.size()); ++user) {
    const Node& node = graph.node(user);
    if (!reads(node, id)) continue;
    if (std::holds_alternative<AddIdentity>(node.op)) return true;
    if (std::holds_alternative<Reshape>(node.op) && feeds_identity(graph, user)) return true;
  }
  return false;
}

// The compression factor of the layer that feeds a norm; 1 where none does.
std::int64_t factor_before(const Graph& graph, const Node& norm) {
  const WeightEncoding* encoding = weights_of(graph.node(norm.inputs[0]).op);
  const auto* tiled = encoding == nullptr ? nullptr : std::get_if<TiledWeights>(encoding);
  return tiled == nullptr ? 1 : tiled->p;
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
        // Drawn on the CPU, so that a seed means the same start on every device.
        Tensor target = named.tensor;
        target.copy_(draw(id, graph.node(id), named));
      }
    }
  }

 private:
  Tensor draw(NodeId id, const Node& node, const NamedTensor& named) {
    const auto sizes = named.tensor.sizes();
    switch (named.role) {
      case TensorRole::kWeight:
        return starts_at_zero(id, node) ? torch::zeros(sizes) : float_weight(node, sizes);
      case TensorRole::kLatent:
        return latent(node, sizes);
      case TensorRole::kAlphaLatent:
        return uniform(sizes, 1 / root_of_inputs(node));
      case TensorRole::kAlpha:
        return alphas(id, node, sizes);
      case TensorRole::kBias:
        return is_float_linear(node) && !starts_at_zero(id, node)
                   ? uniform(sizes, 1 / root_of_inputs(node))
                   : torch::zeros(sizes);
      case TensorRole::kNormWeight:
        return starts_apart(node) ? random_signs(sizes) : torch::ones(sizes);
      case TensorRole::kNormBias:
        return starts_apart(node) && activation_follows(module_.graph(), id)
                   ? normal(sizes, config_.norm_bias)
                   : torch::zeros(sizes);
      case TensorRole::kEmbedding:
        return normal(sizes, kEmbeddingStd);
      case TensorRole::kRunningMean:
        return torch::zeros(sizes);
      case TensorRole::kRunningVar:
        return torch::ones(sizes);
      case TensorRole::kTile:
      case TensorRole::kLevels:
      case TensorRole::kScale:
        break;
    }
    TBN_CHECK(false, "'" + named.name + "' is not a tensor of training");
  }

  Tensor float_weight(const Node& node, at::IntArrayRef sizes) {
    if (const auto* conv = std::get_if<Conv2d>(&node.op)) {
      const auto fan_out =
          static_cast<double>(conv->out_channels * conv->kernel.h * conv->kernel.w);
      return normal(sizes, std::sqrt(2 / fan_out));
    }
    return uniform(sizes, 1 / root_of_inputs(node));
  }

  Tensor latent(const Node& node, at::IntArrayRef sizes) {
    if (config_.latents == "kaiming_uniform") return uniform(sizes, 1 / root_of_inputs(node));
    const auto& tiled = std::get<TiledWeights>(*weights_of(node.op));
    const double slices = tiled.latent == LatentForm::kFull ? static_cast<double>(tiled.p) : 1;
    return normal(sizes, config_.latent_scale / std::sqrt(slices));
  }

  Tensor alphas(NodeId id, const Node& node, at::IntArrayRef sizes) {
    Tensor scalars = torch::full(sizes, alpha_gain(id, node) / root_of_inputs(node));
    if (config_.alphas == "both_signs") {
      for (std::int64_t i = 1; i < scalars.numel(); i += 2) scalars[i].neg_();
    }
    return scalars;
  }

  // The standard deviation of a weight times sqrt(m). Convolutions keep the variance of their
  // inputs (He et al. 2015); linear layers, often summed up by residual branches with no norm after
  // them, start as small as LibTorch's float ones.
  double alpha_gain(NodeId id, const Node& node) const {
    if (std::holds_alternative<Linear>(node.op)) return 1 / std::sqrt(3.0);
    return activation_follows(module_.graph(), id) ? std::sqrt(2.0) : 1.0;
  }

  bool is_float_linear(const Node& node) const {
    const auto* linear = std::get_if<Linear>(&node.op);
    return linear != nullptr && std::holds_alternative<FloatWeights>(linear->weights);
  }

  bool starts_at_zero(NodeId id, const Node& node) const {
    return is_float_linear(node) && feeds_identity(module_.graph(), id);
  }

  bool starts_apart(const Node& norm) const {
    return config_.norms == "apart" && std::holds_alternative<BatchNorm>(norm.op) &&
           factor_before(module_.graph(), norm) > 1;
  }

  // sqrt(m), m the inputs of each output.
  double root_of_inputs(const Node& node) const {
    return std::sqrt(static_cast<double>(weight_shape(module_.graph(), node).inputs));
  }

  Tensor uniform(at::IntArrayRef sizes, double bound) {
    return torch::empty(sizes).uniform_(-bound, bound, generator_);
  }
  Tensor normal(at::IntArrayRef sizes, double std) {
    return torch::empty(sizes).normal_(0, std, generator_);
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
