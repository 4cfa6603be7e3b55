// oneDNN's prepacked operators have no C++ function: they are called as TorchInductor's generated
// code calls them, through the dispatcher.
#include "train/bench/dense_layers.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/torch.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <limits>
#include <optional>
#include <string_view>

#include "tbn/error.h"

namespace tbn {
namespace {

using torch::Tensor;
using Sizes = at::IntArrayRef;
using Scalars = c10::List<std::optional<at::Scalar>>;
using Text = std::optional<std::string_view>;
using MaybeTensor = std::optional<Tensor>;

template <class Signature>
auto find_op(const char* name, const char* overload = "") {
  return c10::Dispatcher::singleton().findSchemaOrThrow(name, overload).typed<Signature>();
}

// oneDNN's name of the activation and how it is to be computed.
struct Epilogue {
  std::string_view name = "none";
  Text algorithm = std::nullopt;
};

Epilogue epilogue_of(ActivationKind activation) {
  switch (activation) {
    case ActivationKind::kNone:
      return {};
    case ActivationKind::kRelu:
      return {"relu"};
    case ActivationKind::kGelu:
      return {"gelu", "none"};
    case ActivationKind::kSilu:
      return {"swish"};
    case ActivationKind::kTanh:
      return {"tanh"};
    case ActivationKind::kSigmoid:
      return {"sigmoid"};
  }
  TBN_CHECK(false, "unknown activation");
}

MaybeTensor optional_of(const Tensor& t) { return t.defined() ? MaybeTensor(t) : std::nullopt; }

std::array<std::int64_t, 2> pair(Size2 size) { return {size.h, size.w}; }

// Tensor X, Tensor W, Tensor? B, str attr, Scalar?[] scalars, str? algorithm
using LinearPointwise = Tensor(const Tensor&, const Tensor&, const MaybeTensor&, std::string_view,
                               Scalars, Text);
// Tensor X, Tensor W, Tensor? B, padding, stride, dilation, groups, attr, scalars, algorithm
using ConvPointwise = Tensor(const Tensor&, const Tensor&, const MaybeTensor&, Sizes, Sizes, Sizes,
                             std::int64_t, std::string_view, Scalars, Text);
// Tensor X, Tensor other, Tensor W, Tensor? B, padding, stride, dilation, groups, str binary_attr,
// Scalar? alpha, str? unary_attr, Scalar?[] unary_scalars, str? unary_algorithm
using ConvBinary = Tensor(const Tensor&, const Tensor&, const Tensor&, const MaybeTensor&, Sizes,
                          Sizes, Sizes, std::int64_t, std::string_view, std::optional<at::Scalar>,
                          Text, Scalars, Text);

DenseForm prepacked_linear(const DenseWeights& weights, std::optional<std::int64_t> rows,
                           Epilogue epilogue, std::string name) {
  const auto reorder =
      find_op<Tensor(const Tensor&, std::optional<std::int64_t>)>("mkldnn::_reorder_linear_weight");
  const auto linear = find_op<LinearPointwise>("mkldnn::_linear_pointwise");
  return {std::move(name), [=, packed = reorder.call(weights.weight, rows),
                            bias = optional_of(weights.bias)](const Tensor& x, const Tensor&) {
            return linear.call(x, packed, bias, epilogue.name, Scalars(), epilogue.algorithm);
          }};
}

// Symmetric int8, one scale per output.
Tensor quantized_weight(const Tensor& weight) {
  const Tensor largest = weight.abs().flatten(1).amax(1).clamp_min(1e-12);
  return at::quantize_per_channel(weight, largest.to(torch::kFloat64) / 127,
                                  torch::zeros({weight.size(0)}, torch::kInt64), 0, torch::kQInt8);
}

c10::List<std::int64_t> list_of(Size2 size) { return c10::List<std::int64_t>({size.h, size.w}); }

c10::IValue call(const char* name, const char* overload, std::vector<c10::IValue> arguments) {
  c10::Dispatcher::singleton().findSchemaOrThrow(name, overload).callBoxed(arguments);
  return arguments.front();
}

using Packed = c10::IValue;

// A form for each engine whose packed weights `pack` makes and `run` takes. An engine may be built
// in and yet refuse this processor or this shape: what it throws says only that it has no form.
std::vector<DenseForm> engine_forms(
    const Tensor& x, const std::function<Packed()>& pack,
    const std::function<Tensor(const Tensor& x, const Packed& packed)>& run) {
  std::vector<DenseForm> forms;
  at::Context& context = at::globalContext();
  const at::QEngine before = context.qEngine();
  for (const at::QEngine engine : at::Context::supportedQEngines()) {
    if (engine == at::QEngine::NoQEngine) continue;
    try {
      context.setQEngine(engine);
      const auto form = [run, packed = pack()](const Tensor& input, const Tensor&) {
        return run(input, packed);
      };
      form(x, {});
      forms.push_back({at::toString(engine), form});
    } catch (const c10::Error&) {
      continue;
    }
  }
  context.setQEngine(before);
  return forms;
}

double call_seconds(const DenseForm& form, const Tensor& x) {
  const auto start = std::chrono::steady_clock::now();
  form.run(x, {});
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

std::vector<DenseForm> onednn_linear(const DenseWeights& weights, std::int64_t rows,
                                     ActivationKind activation) {
  if (!at::hasMKLDNN()) return {};
  const Epilogue epilogue = epilogue_of(activation);
  // Which layout is the quicker one depends on the shape.
  return {prepacked_linear(weights, rows, epilogue, "oneDNN prepacked for its rows"),
          prepacked_linear(weights, std::nullopt, epilogue, "oneDNN prepacked")};
}

std::vector<DenseForm> onednn_conv(const DenseWeights& weights, const Conv2d& op,
                                   const std::vector<std::int64_t>& input,
                                   ActivationKind activation) {
  if (!at::hasMKLDNN()) return {};
  using Reorder = Tensor(const Tensor&, Sizes, Sizes, Sizes, std::int64_t, at::OptionalIntArrayRef);
  const auto reorder = find_op<Reorder>("mkldnn::_reorder_convolution_weight");
  const auto conv = find_op<ConvPointwise>("mkldnn::_convolution_pointwise");
  const auto conv_add = find_op<ConvBinary>("mkldnn::_convolution_pointwise", "binary");
  const auto padding = pair(op.padding), stride = pair(op.stride);
  constexpr std::array<std::int64_t, 2> kDilation = {1, 1};
  const Epilogue epilogue = epilogue_of(activation);
  const Tensor packed =
      reorder.call(weights.weight, padding, stride, kDilation, op.groups, Sizes(input));
  const auto run = [=, groups = op.groups, bias = optional_of(weights.bias)](
                       const Tensor& x, const Tensor& residual) {
    if (!residual.defined()) {
      return conv.call(x, packed, bias, padding, stride, kDilation, groups, epilogue.name,
                       Scalars(), epilogue.algorithm);
    }
    const Text unary = epilogue.name == "none" ? Text() : Text(epilogue.name);
    return conv_add.call(x, residual, packed, bias, padding, stride, kDilation, groups, "add",
                         std::nullopt, unary, Scalars(), epilogue.algorithm);
  };
  return {{"oneDNN prepacked", run}};
}

std::vector<DenseForm> linear_forms(const DenseWeights& weights, std::int64_t rows) {
  std::vector<DenseForm> forms = onednn_linear(weights, rows);
  forms.push_back({"at::linear", [weights](const Tensor& x, const Tensor&) {
                     return at::linear(x, weights.weight, optional_of(weights.bias));
                   }});
  return forms;
}

std::vector<DenseForm> conv_forms(const DenseWeights& weights, const Conv2d& op,
                                  const std::vector<std::int64_t>& input) {
  std::vector<DenseForm> forms = onednn_conv(weights, op, input);
  const Tensor weight = weights.weight.contiguous(at::MemoryFormat::ChannelsLast);
  forms.push_back({"at::conv2d, channels last",
                   [weight, bias = weights.bias, op](const Tensor& x, const Tensor&) {
                     return at::conv2d(x, weight, optional_of(bias), pair(op.stride),
                                       pair(op.padding), {1, 1}, op.groups);
                   }});
  return forms;
}

std::vector<DenseForm> int8_linear_forms(const DenseWeights& weights, const Tensor& x) {
  return engine_forms(
      x,
      [weight = quantized_weight(weights.weight), bias = optional_of(weights.bias)] {
        return call("quantized::linear_prepack", "", {weight, bias});
      },
      [](const Tensor& input, const Packed& packed) {
        return call("quantized::linear_dynamic", "", {input, packed, false}).toTensor();
      });
}

Tensor int8_values(const Tensor& x) {
  return at::quantize_per_tensor(x, x.abs().max().item<double>() / 127, 128, torch::kQUInt8);
}

std::vector<DenseForm> int8_conv_forms(const DenseWeights& weights, const Conv2d& op,
                                       const Tensor& x) {
  const Tensor floats = at::conv2d(x.dequantize(), weights.weight, optional_of(weights.bias),
                                   pair(op.stride), pair(op.padding), {1, 1}, op.groups);
  const double scale = floats.abs().max().item<double>() / 127;
  return engine_forms(
      x,
      [weight = quantized_weight(weights.weight), bias = optional_of(weights.bias), op] {
        return call("quantized::conv2d_prepack", "",
                    {weight, bias, list_of(op.stride), list_of(op.padding), list_of(1), op.groups});
      },
      [scale](const Tensor& input, const Packed& packed) {
        return call("quantized::conv2d", "new", {input, packed, scale, 128}).toTensor();
      });
}

std::size_t quickest(const std::vector<DenseForm>& forms, const Tensor& x) {
  constexpr int kCalls = 5;
  std::size_t best = 0;
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < forms.size(); ++i) {
    call_seconds(forms[i], x);
    for (int c = 0; c < kCalls; ++c) {
      const double seconds = call_seconds(forms[i], x);
      if (seconds < least) best = i;
      least = std::min(least, seconds);
    }
  }
  return best;
}

}  // namespace tbn
