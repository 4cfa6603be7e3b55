// Each form of a layer is checked against float64, then the quickest of its precision is taken.
#include "train/bench/layer_bench.h"

#include <torch/torch.h>

#include <optional>

#include "tbn/error.h"
#include "train/bench/dense_layers.h"
#include "train/executor/graph_module_ops.h"

namespace tbn {
namespace {

using torch::Tensor;

// A layer with random weights and an input, as LibTorch wants them.
struct Dense {
  const Conv2d* conv;  // null: a linear layer
  DenseWeights weights;
  Tensor input;
};

const Op& layer_op(const Graph& layer) { return layer.node(layer.output).op; }

// x [rows, K] or [1, C, H, W] from one example.
Tensor batch_of(const Graph& layer, const Tensor& example) {
  const Shape& shape = layer.input_shape();
  return shape.size() == 3 ? example.reshape({1, shape[0], shape[1], shape[2]})
                           : example.reshape({-1, shape.back()});
}

Tensor weight_of(const Graph& layer, const Tensor& values) {
  const WeightShape shape = weight_shape(layer, layer.node(layer.output));
  const auto* conv = std::get_if<Conv2d>(&layer_op(layer));
  if (conv == nullptr) return values.reshape({shape.outputs, shape.inputs});
  return values.reshape({shape.outputs, -1, conv->kernel.h, conv->kernel.w});
}

Dense random_dense(const Graph& layer, bool int8) {
  const WeightShape shape = weight_shape(layer, layer.node(layer.output));
  const auto* conv = std::get_if<Conv2d>(&layer_op(layer));
  Dense dense{conv,
              {weight_of(layer, torch::randn({shape.outputs * shape.inputs})), {}},
              batch_of(layer, torch::randn({element_count(layer.input_shape())}))};
  if (conv != nullptr) dense.input = in_channels_last(dense.input);
  if (conv != nullptr && int8) dense.input = int8_values(dense.input);
  return dense;
}

Tensor plain(const Conv2d* conv, const Tensor& weight, const Tensor& x) {
  if (conv == nullptr) return at::linear(x, weight);
  return at::conv2d(x, weight, {}, {conv->stride.h, conv->stride.w},
                    {conv->padding.h, conv->padding.w}, {1, 1}, conv->groups);
}

std::vector<DenseForm> forms_of(const Dense& dense, bool int8) {
  const auto& [conv, weights, x] = dense;
  if (int8) {
    return conv ? int8_conv_forms(weights, *conv, x) : int8_linear_forms(weights, x);
  }
  return conv ? conv_forms(weights, *conv, x.sizes().vec()) : linear_forms(weights, x.size(0));
}

Tensor to_double(const Tensor& t) {
  return (t.is_quantized() ? t.dequantize() : t).to(torch::kFloat64);
}

// A form that is far from the exact product is no rival: an int8 engine may be, with some shapes.
std::vector<DenseForm> right_forms(const Dense& dense, bool int8) {
  const Tensor wanted = plain(dense.conv, to_double(dense.weights.weight), to_double(dense.input));
  const double most = (int8 ? 0.1 : 1e-4) * wanted.abs().max().item<double>();
  std::vector<DenseForm> forms = forms_of(dense, int8);
  std::erase_if(forms, [&](const DenseForm& form) {
    const Tensor given = to_double(form.run(dense.input, {}));
    return !((given - wanted).abs().max().item<double>() <= most);
  });
  return forms;
}

DenseForm form_named(const std::string& name, const std::vector<DenseForm>& forms) {
  for (const DenseForm& form : forms) {
    if (form.name == name) return form;
  }
  TBN_CHECK(false, "a copy of a layer has no form " + name);
}

const char* rival_name(const Dense& dense, bool int8) {
  if (!int8) return "LibTorch fp32, ";
  return dense.conv ? "LibTorch int8, activations too, " : "LibTorch int8, ";
}

std::optional<LayerRival> rival(const Graph& layer, bool int8) {
  const c10::InferenceMode inference;
  const Dense dense = random_dense(layer, int8);
  const std::vector<DenseForm> forms = right_forms(dense, int8);
  TBN_CHECK(int8 || !forms.empty(), "LibTorch does not compute the layer in float");
  if (forms.empty()) return std::nullopt;
  const std::string name = forms[quickest(forms, dense.input)].name;
  const auto copy = [layer, int8, name]() -> std::function<void()> {
    const c10::InferenceMode building;
    const Dense own = random_dense(layer, int8);
    return [run = form_named(name, forms_of(own, int8)).run, x = own.input] {
      const c10::InferenceMode running;
      run(x, {});
    };
  };
  const std::int64_t weight_bytes = dense.weights.weight.numel() * (int8 ? 1 : 4);
  return LayerRival{rival_name(dense, int8) + name,
                    weight_bytes + static_cast<std::int64_t>(dense.input.nbytes()), copy};
}

}  // namespace

std::vector<double> layer_answer(const Graph& layer, std::span<const float> weights,
                                 std::span<const float> input) {
  const c10::InferenceMode inference;
  const auto tensor = [](std::span<const float> values) {
    return torch::tensor(at::ArrayRef<float>(values.data(), values.size()), torch::kFloat64);
  };
  const auto* conv = std::get_if<Conv2d>(&layer_op(layer));
  const Tensor y =
      plain(conv, weight_of(layer, tensor(weights)), batch_of(layer, tensor(input))).contiguous();
  const auto* values = y.const_data_ptr<double>();
  return {values, values + y.numel()};
}

std::vector<LayerRival> layer_rivals(const Graph& layer, int threads) {
  at::set_num_threads(threads);
  torch::manual_seed(1);
  std::vector<LayerRival> rivals;
  for (const bool int8 : {false, true}) {
    if (auto found = rival(layer, int8)) rivals.push_back(*std::move(found));
  }
  return rivals;
}

}  // namespace tbn
