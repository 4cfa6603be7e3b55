// The operations a network is made of: plain structs of attributes, held in a variant. Adding an op
// means adding it here and letting the compiler show every switch that must learn it.
//
// Shapes never have the batch dimension: an image is [C, H, W], a vector [F], a sequence [T, F].
#pragma once

#include <cstdint>
#include <string_view>
#include <variant>
#include <vector>

#include "tbn/tensor.h"
#include "tbn/tile.h"

namespace tbn {

// Height and width; one number stands for both.
struct Size2 {
  std::int64_t h = 0;
  std::int64_t w = 0;
  constexpr Size2() = default;
  constexpr Size2(std::int64_t both) : h(both), w(both) {}  // NOLINT: implicit by design
  constexpr Size2(std::int64_t height, std::int64_t width) : h(height), w(width) {}
  bool operator==(const Size2&) const = default;
};

enum class ActivationKind { kNone, kRelu, kGelu, kSilu, kTanh, kSigmoid };

// The values that a run of the network starts from, float [shape]; images are raw pixels 0..255.
struct Input {
  Shape shape;
  bool operator==(const Input&) const = default;
};

// y = (x - mean[c]) / std[c] per channel (the first dimension), with the data set's statistics.
struct Normalize {
  std::vector<float> mean;
  std::vector<float> std;
  bool operator==(const Normalize&) const = default;
};

// 2-D cross-correlation with zero padding, [C, H, W] -> [out_channels, H', W'].
// `padding` -1 means (kernel - 1) / 2 and is resolved when the node is made.
// After the export passes: y[c] = act(scale[c] * alpha * (w * x)[c] + bias[c]).
struct Conv2d {
  std::int64_t out_channels = 0;
  Size2 kernel = 1;
  Size2 stride = 1;
  Size2 padding = -1;
  std::int64_t groups = 1;
  bool bias = false;
  WeightEncoding weights = FloatWeights{};
  bool scale = false;  // a folded norm's factor per output; made by fold_norms
  ActivationKind activation = ActivationKind::kNone;  // made by fuse_activations
  bool operator==(const Conv2d&) const = default;
};

// y = W x + b over the last dimension, [..., F] -> [..., out_features]. Epilogue as Conv2d's.
struct Linear {
  std::int64_t out_features = 0;
  bool bias = true;
  WeightEncoding weights = FloatWeights{};
  bool scale = false;
  ActivationKind activation = ActivationKind::kNone;
  bool operator==(const Linear&) const = default;
};

// Batch normalisation over the first dimension of [C, H, W] or [F], with weight and bias.
struct BatchNorm {
  double eps = 1e-5;
  double momentum = 0.1;  // of the running statistics, as LibTorch counts it
  bool operator==(const BatchNorm&) const = default;
};

// y = act(scale[c] * x + bias[c]) over the first dimension: a batch norm that no layer could take
// in.
struct Affine {
  ActivationKind activation = ActivationKind::kNone;
  bool operator==(const Affine&) const = default;
};

struct Activation {
  ActivationKind kind = ActivationKind::kNone;
  bool operator==(const Activation&) const = default;
};

// y = act(a + b), equal shapes.
struct Add {
  ActivationKind activation = ActivationKind::kNone;
  bool operator==(const Add&) const = default;
};

// Padding takes no part in the maximum. `stride` 0 means the kernel's size.
struct MaxPool2d {
  Size2 kernel = 2;
  Size2 stride = 0;
  Size2 padding = 0;
  bool operator==(const MaxPool2d&) const = default;
};

// The mean over whole windows (no padding). `stride` 0 means the kernel's size.
struct AvgPool2d {
  Size2 kernel = 2;
  Size2 stride = 0;
  bool operator==(const AvgPool2d&) const = default;
};

// [C, H, W] -> [C], the mean of each map.
struct GlobalAvgPool {
  bool operator==(const GlobalAvgPool&) const = default;
};

// To one dimension, row-major.
struct Flatten {
  bool operator==(const Flatten&) const = default;
};

// Zeroes values at random in training; the identity otherwise.
struct Dropout {
  double rate = 0.5;
  bool operator==(const Dropout&) const = default;
};

using Op = std::variant<Input, Normalize, Conv2d, Linear, BatchNorm, Affine, Activation, Add,
                        MaxPool2d, AvgPool2d, GlobalAvgPool, Flatten, Dropout>;

// "conv2d", "batch_norm", ...: the name in the text form, the packed file and the error messages.
std::string_view op_name(const Op& op);
std::string_view to_string(ActivationKind kind);  // "none", "relu", ...

// The encoding of an op that has a weight, else null.
const WeightEncoding* weights_of(const Op& op);
WeightEncoding* weights_of(Op& op);

// Overload set for std::visit: visit(Overloaded{[](const Conv2d&) {...}, ...}, op).
template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <class... F>
Overloaded(F...) -> Overloaded<F...>;

}  // namespace tbn
