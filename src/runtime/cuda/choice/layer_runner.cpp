// Weights go to the device once; the kernel is chosen once a batch size.
#include "runtime/cuda/choice/layer_runner.h"

#include <limits>
#include <map>
#include <span>
#include <vector>

#include "runtime/cuda/choice/tune.h"
#include "runtime/cuda/device/memory.h"
#include "runtime/cuda/device/precision.h"
#include "runtime/cuda/layer/layer_weights.h"
#include "tbn/error.h"

namespace tbn::cuda {
namespace {

template <class T>
Buffer on_device(const std::vector<T>& values, const char* what) {
  return Buffer::copy_of(std::span<const T>(values), what);
}

Buffer rounded(const std::vector<float>& values, Precision precision, const char* what) {
  if (precision == Precision::kFp32) return on_device(values, what);
  return with_type(precision, [&]<class T>(T*) {
    std::vector<T> narrow;
    narrow.reserve(values.size());
    for (const float value : values) narrow.push_back(static_cast<T>(value));
    return on_device(narrow, what);
  });
}

}  // namespace

struct LayerRunner::Impl {
  Impl(const Graph& graph, const TensorMap& tensors, const Node& node, const LayerOptions& given,
       Context& device)
      : options(given),
        context(device),
        name(node.name),
        where(describe(node)),
        shape(layer_shape(graph, tensors, node)) {
    const LayerWeights weights = layer_weights(graph, tensors, node, shape);
    const bool is_float = shape.form == WeightForm::kFloat;
    bits = on_device(weights.bits, where.c_str());
    values = is_float ? rounded(weights.floats, options.precision, where.c_str())
                      : on_device(weights.floats, where.c_str());
    gain = on_device(weights.gain, where.c_str());
    bias = on_device(weights.bias, where.c_str());
    if (!options.kernel.empty()) {
      choose_by_name(options.kernel, shape, options.precision, context);
    }
  }

  LayerData data() const {
    return {.bits = bits.get<std::uint32_t>(),
            .weights = values.get(),
            .gain = gain.get<float>(),
            .bias = bias.get<float>()};
  }

  // The shape for a batch: linear layers have several pixels per example.
  LayerShape batched(std::int64_t batch) const {
    LayerShape all = shape;
    const std::int64_t images = batch * shape.batch;
    if (images > std::numeric_limits<int>::max()) {
      throw ConfigError(where + ": " + std::to_string(batch) +
                        " examples are more than a CUDA device can index; use a smaller max_batch");
    }
    all.batch = static_cast<int>(images);
    return all;
  }

  const Choice& chosen(std::int64_t batch) const {
    const auto found = choices.find(batch);
    TBN_CHECK(found != choices.end(), where + ": no kernel was chosen for this batch size");
    return found->second;
  }

  LayerOptions options;
  Context& context;
  std::string name;
  std::string where;
  LayerShape shape;  // of one example
  Buffer bits, values, gain, bias;
  std::map<std::int64_t, Choice> choices;
};

LayerRunner::LayerRunner(const Graph& graph, const TensorMap& tensors, const Node& node,
                         const LayerOptions& options, Context& context)
    : impl_(std::make_unique<Impl>(graph, tensors, node, options, context)) {}
LayerRunner::~LayerRunner() = default;
LayerRunner::LayerRunner(LayerRunner&&) noexcept = default;

void LayerRunner::prepare(std::int64_t batch) {
  Impl& self = *impl_;
  if (self.choices.contains(batch)) return;
  const LayerShape shape = self.batched(batch);
  const Precision precision = self.options.precision;
  const Choice choice = !self.options.kernel.empty()
                            ? choose_by_name(self.options.kernel, shape, precision, self.context)
                        : self.options.tune
                            ? choose_by_time(shape, self.data(), precision, self.context)
                            : choose_by_rule(shape, precision, self.context);
  self.choices.emplace(batch, choice);
}

std::int64_t LayerRunner::workspace_bytes(std::int64_t batch) const {
  return kCounterBytes + impl_->chosen(batch).kernel->workspace_bytes(
                             impl_->batched(batch), impl_->options.precision, impl_->context);
}

void LayerRunner::run(const Call& call) const {
  LayerData data = impl_->data();
  data.x = call.inputs[0];
  data.residual = impl_->shape.residual ? call.inputs[1] : nullptr;
  data.y = call.output;
  impl_->chosen(call.batch)
      .kernel->run({.shape = impl_->batched(call.batch),
                    .data = data,
                    .precision = impl_->options.precision,
                    .workspace = call.workspace,
                    .stream = call.stream},
                   impl_->context);
}

CudaKernelChoice LayerRunner::choice(std::int64_t batch) const {
  const auto found = impl_->choices.find(batch);
  if (found == impl_->choices.end()) return {.node = impl_->name};
  return {.node = impl_->name,
          .kernel = found->second.kernel->name,
          .microseconds = found->second.microseconds,
          .rejected = found->second.rejected};
}

ChainLink LayerRunner::link(std::int64_t batch) const {
  return {.shape = impl_->batched(batch), .data = impl_->data()};
}

std::int64_t LayerRunner::weight_bytes() const {
  return impl_->bits.bytes() + impl_->values.bytes() + impl_->gain.bytes() + impl_->bias.bytes();
}

}  // namespace tbn::cuda
