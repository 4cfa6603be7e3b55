// Registration and the executor, which gives each op to LibTorch, to the room of its weight's
// encoding or to graph_module_ops. Its visit lists all ops: a forgotten one does not compile.
#include "train/executor/graph_module.h"

#include <ATen/record_function.h>

#include <algorithm>
#include <array>

#include "base/counted.h"
#include "graph/node_rows.h"
#include "tbn/error.h"
#include "train/executor/device.h"
#include "train/executor/graph_module_ops.h"
#include "train/executor/graph_module_rules.h"

namespace tbn {
namespace {

using torch::Tensor;

struct Container : torch::nn::Module {};

// Tensors are set by name below dotted submodules, "layer1.0.conv1" -> layer1 / 0 / conv1.
torch::nn::Module& submodule(torch::nn::Module& root, const std::string& path) {
  torch::nn::Module* module = &root;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t dot = std::min(path.find('.', begin), path.size());
    const std::string part = path.substr(begin, dot - begin);
    const auto children = module->named_children();
    module = children.contains(part)
                 ? children[part].get()
                 : module->register_module(part, std::make_shared<Container>()).get();
    begin = dot + 1;
  }
  return *module;
}

std::array<std::int64_t, 2> pair(Size2 size) { return {size.h, size.w}; }

// The sizes of a batch like that of x.
std::vector<std::int64_t> with_batch(const Tensor& x, const Shape& shape) {
  std::vector<std::int64_t> sizes = {x.size(0)};
  sizes.insert(sizes.end(), shape.begin(), shape.end());
  return sizes;
}

// Where a kernel covers the padded input there is one place for it, and the stride has no meaning.
// oneDNN (of LibTorch 2.11) needs to be told: with a stride of 2 its bfloat16 weight gradient of a
// 3 x 3 kernel on 1 x 1 maps reads memory that nothing wrote.
std::array<std::int64_t, 2> effective_stride(const Conv2d& op, const Tensor& x) {
  const bool one_row = x.size(2) + 2 * op.padding.h == op.kernel.h;
  const bool one_column = x.size(3) + 2 * op.padding.w == op.kernel.w;
  return {one_row ? 1 : op.stride.h, one_column ? 1 : op.stride.w};
}

}  // namespace

GraphModule::GraphModule(Graph graph, torch::ScalarType dtype, bool fuse)
    : torch::nn::Module("GraphModule"), graph_(std::move(graph)), dtype_(dtype) {
  for (const Node& node : graph_.nodes) {
    check_trainable(node);
    first_tensor_.push_back(tensors_.size());
    for (const TensorSpec& spec : training_tensors(graph_, node)) register_tensor(spec);
  }
  first_tensor_.push_back(tensors_.size());
  make_weights();
  steps_ = plan_steps(graph_, fuse);
  uses_ = use_counts(graph_);
}

void GraphModule::register_tensor(const TensorSpec& spec) {
  const std::size_t dot = spec.name.rfind('.');
  torch::nn::Module& owner = submodule(*this, spec.name.substr(0, dot));
  const std::string suffix = spec.name.substr(dot + 1);
  const bool ones = spec.role == TensorRole::kNormWeight || spec.role == TensorRole::kRunningVar;
  const Tensor start = torch::full(spec.shape, ones ? 1 : 0, dtype_);
  const Tensor tensor = is_buffer(spec.role) ? owner.register_buffer(suffix, start)
                                             : owner.register_parameter(suffix, start);
  tensors_.push_back({spec.name, spec.role, tensor});
}

void GraphModule::make_weights() {
  for (NodeId id = 0; id < static_cast<NodeId>(graph_.nodes.size()); ++id) {
    const WeightEncoding* encoding = weights_of(graph_.node(id).op);
    weights_.push_back(encoding == nullptr
                           ? nullptr
                           : trained_room(*encoding).make(
                                 *encoding, dims_of(graph_, graph_.node(id)), tensors_of(id)));
    if (encoding != nullptr) last_weighted_ = id;
  }
}

void GraphModule::lay_out_weights() {
  const torch::NoGradGuard no_grad;
  for (const NamedTensor& named : tensors_) {
    if (is_buffer(named.role) || named.tensor.dim() != 4) continue;
    Tensor tensor = named.tensor;
    tensor.set_data(tensor.contiguous(at::MemoryFormat::ChannelsLast));
  }
}

torch::Device GraphModule::device() const {
  return tensors_.empty() ? torch::Device(torch::kCPU) : tensors_.front().tensor.device();
}

std::span<const NamedTensor> GraphModule::tensors_of(NodeId node) const {
  const auto at = static_cast<std::size_t>(node);
  return std::span(tensors_).subspan(first_tensor_[at], first_tensor_[at + 1] - first_tensor_[at]);
}

Tensor GraphModule::tensor_of(NodeId node, TensorRole role) const {
  for (const NamedTensor& named : tensors_of(node)) {
    if (named.role == role) return named.tensor;
  }
  return {};
}

const NodeConstants& GraphModule::constants(NodeId id) {
  if (constants_device_ != device()) constants_.clear();
  constants_device_ = device();
  const auto found = constants_.find(id);
  if (found != constants_.end()) return found->second;
  const torch::TensorOptions options = torch::TensorOptions(dtype_).device(device());
  return constants_.emplace(id, constants_of(graph_.node(id), options)).first->second;
}

// NOLINTNEXTLINE(performance-unnecessary-value-param): an input is let go after its last use.
Tensor GraphModule::prepare_input(Tensor x) const {
  const Shape& wanted = graph_.input_shape();
  if (x.dim() < 1 || x.sizes().slice(1) != at::IntArrayRef(wanted)) {
    throw ConfigError("network '" + graph_.name + "': a batch has shape " +
                      to_string(x.sizes().vec()) + ", the network takes [batch] + " +
                      to_string(wanted));
  }
  return x.to(device(), dtype_);
}

Tensor GraphModule::forward(Tensor x) {
  regularized_.clear();
  std::vector<Tensor> values(graph_.nodes.size());
  values[0] = prepare_input(std::move(x));
  for (const PlanStep& step : steps_) {
    RECORD_USER_SCOPE(graph_.node(step.node).name);
    values[static_cast<std::size_t>(step.output)] = run(step, values);
    for (const NodeId id : step.last_uses) values[static_cast<std::size_t>(id)].reset();
  }
  return values[static_cast<std::size_t>(graph_.output)];
}

Tensor GraphModule::run(const PlanStep& step, std::vector<Tensor>& values) {
  const Node& node = graph_.node(step.node);
  const auto input = [&](std::size_t i) -> const Tensor& {
    return values[static_cast<std::size_t>(node.inputs[i])];
  };
  const auto inputs = [&] {
    std::vector<Tensor> all;
    all.reserve(node.inputs.size());
    for (std::size_t i = 0; i < node.inputs.size(); ++i) all.push_back(input(i));
    return all;
  };
  return std::visit(
      Overloaded{
          [&](const Input&) { return values[0]; },
          [&](const Normalize&) { return normalize(constants(step.node), input(0)); },
          [&](const Conv2d& op) {
            const Tensor residual =
                step.residual < 0 ? Tensor() : values[static_cast<std::size_t>(step.residual)];
            return run_conv(step, op, input(0), residual);
          },
          [&](const Linear&) { return run_linear(step.node, input(0)); },
          [&](const BatchNorm& op) { return run_batch_norm(step.node, op, input(0)); },
          [&](const Affine&) -> Tensor { refuse_packed(node, "the op"); },
          [&](const Activation& op) { return run_activation(step, op.kind, input(0)); },
          [&](const Add&) { return at::add(input(0), input(1)); },
          [&](const MaxPool2d& op) {
            return at::max_pool2d(input(0), pair(op.kernel), pair(op.stride), pair(op.padding));
          },
          [&](const AvgPool2d& op) {
            return at::avg_pool2d(input(0), pair(op.kernel), pair(op.stride));
          },
          [&](const GlobalAvgPool&) {
            return input(0).mean(at::IntArrayRef({2, 3}));
          },
          [&](const Flatten&) { return input(0).flatten(1); },
          [&](const Dropout& op) { return at::dropout(input(0), op.rate, is_training()); },
          [&](const Pad2d& op) {
            return at::constant_pad_nd(input(0), {op.left, op.right, op.top, op.bottom});
          },
          [&](const LayerNorm& op) {
            return at::layer_norm(input(0), {node.shape.back()},
                                  tensor_of(step.node, TensorRole::kNormWeight),
                                  tensor_of(step.node, TensorRole::kNormBias), op.eps);
          },
          [&](const Attention& op) {
            return attention(op, inputs(), tensor_of(step.node, TensorRole::kEmbedding),
                             constants(step.node));
          },
          [&](const Reshape&) { return input(0).reshape(with_batch(input(0), node.shape)); },
          [&](const Transpose&) { return input(0).transpose(-2, -1); },
          [&](const Concat& op) { return at::cat(inputs(), op.axis + 1); },
          [&](const Slice& op) { return input(0).narrow(op.axis + 1, op.begin, op.length); },
          [&](const ClassToken&) {
            return with_class_token(tensor_of(step.node, TensorRole::kEmbedding), input(0));
          },
          [&](const PositionEmbedding& op) {
            return input(0) + (op.kind == PositionKind::kLearned
                                   ? tensor_of(step.node, TensorRole::kEmbedding)
                                   : constants(step.node).positions);
          },
          [&](const MatMul&) { return at::matmul(input(0), input(1)); },
          [&](const AddIdentity& op) {
            const Tensor y = add_identity(input(0));
            if (op.orthogonal && is_training()) regularized_.push_back(y);
            return y;
          },
          [&](const SequencePool& op) { return sequence_pool(op.kind, input(0)); },
          [&](const Expand&) {
            return input(0).unsqueeze(1).expand(with_batch(input(0), node.shape));
          },
          [&](const MovingAverage& op) { return moving_average(input(0), op.kernel); },
          [&](const Subtract&) { return at::sub(input(0), input(1)); },
          [&](const Multiply&) { return at::mul(input(0), input(1)); }},
      node.op);
}

// Logits are too coarse in bfloat16, which near 16 has steps of an eighth: the last layer
// multiplies in the network's own type.
Tensor GraphModule::run_linear(NodeId id, const Tensor& x) const {
  const Tensor bias = tensor_of(id, TensorRole::kBias);
  if (id != last_weighted_) return weight_of(id)->linear(x, bias);
  const Autocast off(false, x.device());
  return weight_of(id)->linear(x.to(dtype_), bias);
}

MapPool GraphModule::pool_of(NodeId id) const {
  if (id < 0) return {};
  const Op& op = graph_.node(id).op;
  if (const auto* max = std::get_if<MaxPool2d>(&op)) {
    return {MapPoolKind::kMax, pair(max->kernel), pair(max->stride), pair(max->padding)};
  }
  const auto& mean = std::get<AvgPool2d>(op);
  return {MapPoolKind::kMean, pair(mean.kernel), pair(mean.stride), {0, 0}};
}

Tensor GraphModule::run_conv(const PlanStep& step, const Conv2d& op, const Tensor& input,
                             const Tensor& residual) {
  const Tensor x = channels_last_ ? in_channels_last(input) : input;
  const Tensor bias = tensor_of(step.node, TensorRole::kBias);
  const ConvGeometry geometry{effective_stride(op, x), pair(op.padding), op.groups};
  const TrainedWeight& weight = *weight_of(step.node);
  if (step.norm < 0) return weight.conv2d(x, bias, geometry);
  const auto& norm = std::get<BatchNorm>(graph_.node(step.norm).op);
  check_statistics(step.norm, x);
  const NormState state{tensor_of(step.norm, TensorRole::kNormWeight),
                        tensor_of(step.norm, TensorRole::kNormBias),
                        tensor_of(step.norm, TensorRole::kRunningMean),
                        tensor_of(step.norm, TensorRole::kRunningVar),
                        momentum_of(norm),
                        norm.eps};
  return weight.conv2d_norm(x, geometry, pool_of(step.pool), state, is_training(), residual,
                            step.relu);
}

// A batch norm in training needs two values of each channel, or the variance is not a number.
void GraphModule::check_statistics(NodeId id, const Tensor& x) const {
  const Node& node = graph_.node(id);
  const std::int64_t channels = node.shape[channel_axis(node.shape)];
  const std::int64_t values = x.size(0) * (element_count(node.shape) / channels);
  if (!is_training() || values >= 2) return;
  throw ConfigError(describe(node) + ": a batch of " + std::to_string(x.size(0)) +
                    " gives each channel " + counted(values, "value") +
                    ", and the variance needs at least 2; use a larger batch");
}

Tensor GraphModule::run_batch_norm(NodeId id, const BatchNorm& op, const Tensor& x) const {
  check_statistics(id, x);
  return batch_norm(op, x, tensor_of(id, TensorRole::kNormWeight),
                    tensor_of(id, TensorRole::kNormBias), tensor_of(id, TensorRole::kRunningMean),
                    tensor_of(id, TensorRole::kRunningVar), momentum_of(op), is_training());
}

double GraphModule::momentum_of(const BatchNorm& op) const {
  constexpr double kLeast = 0.01;
  if (norm_momentum_) return *norm_momentum_;
  return std::max(std::min(op.momentum, kLeast), op.momentum * norm_momentum_factor_);
}

Tensor GraphModule::run_activation(const PlanStep& step, ActivationKind kind,
                                   const Tensor& x) const {
  const NodeId producer = graph_.node(step.node).inputs[0];
  // Autograd copies the whole gradient of a view that was overwritten.
  const bool in_place = uses_[static_cast<std::size_t>(producer)] == 1 &&
                        may_overwrite(graph_.node(producer).op) &&
                        !(torch::GradMode::is_enabled() && x.is_view());
  switch (kind) {
    case ActivationKind::kNone:
      return x;
    case ActivationKind::kRelu:
      return in_place ? x.relu_() : at::relu(x);
    case ActivationKind::kGelu:
      return at::gelu(x);
    case ActivationKind::kSilu:
      return at::silu(x);
    case ActivationKind::kTanh:
      return at::tanh(x);
    case ActivationKind::kSigmoid:
      return at::sigmoid(x);
  }
  TBN_CHECK(false, "unknown activation");
}

}  // namespace tbn
