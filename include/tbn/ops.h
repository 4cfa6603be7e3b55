/// @file
/// The operations a network is made of: plain structs of attributes, held in a variant. Adding an
/// op means adding it here and letting the compiler show every switch that must learn it.
///
/// Shapes never have the batch dimension: an image is [C, H, W], a vector [F], a sequence of tokens
/// or points [T, F]. The channels of an image come first, of vectors and sequences last.
#pragma once

#include <cstdint>
#include <string_view>
#include <variant>
#include <vector>

#include "tbn/encodings.h"
#include "tbn/tensor.h"

namespace tbn {

/// Height and width; one number stands for both.
struct Size2 {
  std::int64_t h = 0;  ///< height
  std::int64_t w = 0;  ///< width
  /// 0 x 0.
  constexpr Size2() = default;
  /// `both` x `both`.
  constexpr Size2(std::int64_t both) : h(both), w(both) {}  // NOLINT: implicit by design
  /// `height` x `width`.
  constexpr Size2(std::int64_t height, std::int64_t width) : h(height), w(width) {}
  bool operator==(const Size2&) const = default;
};

/// The functions of single values: max(x, 0); x Phi(x) with the normal distribution function;
/// x sigmoid(x); tanh(x); 1 / (1 + exp(-x)).
enum class ActivationKind { kNone, kRelu, kGelu, kSilu, kTanh, kSigmoid };

/// The values that a run of the network starts from, float [shape]; images are raw pixels 0..255.
struct Input {
  Shape shape;  ///< without the batch
  bool operator==(const Input&) const = default;
};

/// y = (x - mean[c]) / std[c] per channel, with the data set's statistics.
struct Normalize {
  std::vector<float> mean;  ///< one per channel, in raw units
  std::vector<float> std;   ///< one per channel, above 0
  bool operator==(const Normalize&) const = default;
};

/// 2-D cross-correlation with zero padding, [C, H, W] -> [out_channels, H', W'] with
/// H' = floor((H + 2 padding - kernel) / stride) + 1. After the export passes it computes
/// y[c] = act(scale[c] * alpha * (w * x)[c] + bias[c]).
struct Conv2d {
  std::int64_t out_channels = 0;            ///< at least 1; `groups` divides it
  Size2 kernel = 1;                         ///< pixels
  Size2 stride = 1;                         ///< pixels
  Size2 padding = -1;                       ///< zeros per side; -1: (kernel - 1) / 2
  std::int64_t groups = 1;                  ///< divides the input's channels; C: depthwise
  bool bias = false;                        ///< one number per output channel
  WeightEncoding weights = FloatWeights{};  ///< how the weight is stored and trained
  bool scale = false;                       ///< one factor per output, made by the pass fold_norms
  ActivationKind activation = ActivationKind::kNone;  ///< made by the pass fuse_activations
  bool operator==(const Conv2d&) const = default;
};

/// y = W x + b over the last dimension, [..., F] -> [..., out_features]. After the export passes it
/// ends as Conv2d does.
struct Linear {
  std::int64_t out_features = 0;            ///< at least 1
  bool bias = true;                         ///< one number per output
  WeightEncoding weights = FloatWeights{};  ///< how the weight is stored and trained
  bool scale = false;                       ///< one factor per output, made by the pass fold_norms
  ActivationKind activation = ActivationKind::kNone;  ///< made by the pass fuse_activations
  bool operator==(const Linear&) const = default;
};

/// Batch normalisation of each channel of [C, H, W], [F] or [T, F], with weight and bias.
struct BatchNorm {
  double eps = 1e-5;      ///< added to the variance, above 0
  double momentum = 0.1;  ///< share of the newest batch in the running statistics, 0 to 1
  bool operator==(const BatchNorm&) const = default;
};

/// y = act(scale[c] * x + bias[c]) per channel: a batch norm that no layer could take in.
struct Affine {
  ActivationKind activation = ActivationKind::kNone;  ///< made by the pass fuse_activations
  bool operator==(const Affine&) const = default;
};

/// A function of each value; the shape stays.
struct Activation {
  ActivationKind kind = ActivationKind::kNone;  ///< which function
  bool operator==(const Activation&) const = default;
};

/// y = act(a + b), equal shapes.
struct Add {
  ActivationKind activation = ActivationKind::kNone;  ///< made by the pass fuse_activations
  bool operator==(const Add&) const = default;
};

/// The maximum of each window, [C, H, W] -> [C, H', W']. Padding takes no part in it.
struct MaxPool2d {
  Size2 kernel = 2;   ///< pixels
  Size2 stride = 0;   ///< pixels; 0: the kernel's size
  Size2 padding = 0;  ///< pixels per side, at most half the kernel
  bool operator==(const MaxPool2d&) const = default;
};

/// The mean of each whole window (no padding), [C, H, W] -> [C, H', W'].
struct AvgPool2d {
  Size2 kernel = 2;  ///< pixels
  Size2 stride = 0;  ///< pixels; 0: the kernel's size
  bool operator==(const AvgPool2d&) const = default;
};

/// [C, H, W] -> [C], the mean of each map.
struct GlobalAvgPool {
  bool operator==(const GlobalAvgPool&) const = default;
};

/// To one dimension, row-major.
struct Flatten {
  bool operator==(const Flatten&) const = default;
};

/// Zeroes values at random in training; the identity otherwise.
struct Dropout {
  double rate = 0.5;  ///< probability of a zero, 0 to below 1
  bool operator==(const Dropout&) const = default;
};

/// Zeros around an image, [C, H, W] -> [C, top + H + bottom, left + W + right].
struct Pad2d {
  std::int64_t top = 0;     ///< rows
  std::int64_t bottom = 0;  ///< rows
  std::int64_t left = 0;    ///< columns
  std::int64_t right = 0;   ///< columns
  bool operator==(const Pad2d&) const = default;
};

/// y = (x - mean) / sqrt(var + eps) * weight + bias over the last dimension (Ba et al. 2016).
struct LayerNorm {
  double eps = 1e-5;  ///< added to the variance, above 0
  bool operator==(const LayerNorm&) const = default;
};

/// Multi-head scaled dot-product attention (Vaswani et al. 2017): softmax(Q K^T / sqrt(d) + b) V in
/// each head of width d = F / heads. Its input is one [T, 3 F] with queries, keys and values side
/// by side, or three of [T, F]; its output [T, F].
///
/// With a window the tokens are the pixels of an image of size `grid`, row by row, and attend
/// within windows of `window` x `window` pixels of the image rolled up and left by `shift`; pixels
/// that only the roll made neighbours do not see each other (Swin, Liu et al. 2021).
/// `relative_bias` adds one learned number per head for each offset of two pixels in a window:
///
///     b = table[(dy + window - 1) (2 window - 1) + dx + window - 1][head]
///
/// with (dy, dx) the place of the query minus that of the key.
struct Attention {
  std::int64_t heads = 1;      ///< divides F
  Size2 grid = 0;              ///< size of the image in tokens; with a window only
  std::int64_t window = 0;     ///< side of a window in tokens; 0: every token sees every other
  std::int64_t shift = 0;      ///< tokens, below `window`
  bool relative_bias = false;  ///< needs a window
  bool operator==(const Attention&) const = default;
};

/// The same values, row-major, in another shape.
struct Reshape {
  Shape shape;  ///< without the batch, 1 to 4 dimensions
  bool operator==(const Reshape&) const = default;
};

/// Swaps the last two dimensions.
struct Transpose {
  bool operator==(const Transpose&) const = default;
};

/// Two or more inputs one after another along `axis`; their other dimensions are equal.
struct Concat {
  std::int64_t axis = 0;  ///< without counting the batch
  bool operator==(const Concat&) const = default;
};

/// Entries begin .. begin + length - 1 along `axis`.
struct Slice {
  std::int64_t axis = 0;    ///< without counting the batch
  std::int64_t begin = 0;   ///< the first entry
  std::int64_t length = 1;  ///< how many, at least 1
  bool operator==(const Slice&) const = default;
};

/// A learned token in front of a sequence, [T, F] -> [T + 1, F].
struct ClassToken {
  bool operator==(const ClassToken&) const = default;
};

/// Where the rows of a PositionEmbedding come from: parameters, or a formula.
enum class PositionKind { kLearned, kSinusoidal };

/// Adds to token t of [T, F] row t of a table: learned, or sin (even features f) and cos (odd ones)
/// of t / 10000^(2 floor(f / 2) / F) (Vaswani et al. 2017).
struct PositionEmbedding {
  PositionKind kind = PositionKind::kLearned;  ///< where the table comes from
  bool operator==(const PositionEmbedding&) const = default;
};

/// [M, K] x [K, N] -> [M, N], of two inputs.
struct MatMul {
  bool operator==(const MatMul&) const = default;
};

/// x + I for a square [K, K]: a transform that starts near the identity (PointNet, Qi et al. 2017).
/// `orthogonal` asks the trainer to penalise |I - y y^T|, see train.orthogonal_penalty.
struct AddIdentity {
  bool orthogonal = false;  ///< whether training penalises it
  bool operator==(const AddIdentity&) const = default;
};

/// What a SequencePool takes over the tokens.
enum class PoolKind { kMax, kMean };

/// [T, F] -> [F]: the largest or the mean value of each feature over the tokens.
struct SequencePool {
  PoolKind kind = PoolKind::kMean;  ///< the largest or the mean value
  bool operator==(const SequencePool&) const = default;
};

/// [F] -> [count, F]: the same row for each token.
struct Expand {
  std::int64_t count = 1;  ///< tokens, at least 1
  bool operator==(const Expand&) const = default;
};

/// The mean of `kernel` (odd) neighbours along the first dimension of [T, C]; beyond the ends the
/// first and the last row are repeated (the trend of DLinear, Zeng et al. 2023).
struct MovingAverage {
  std::int64_t kernel = 25;  ///< rows, odd
  bool operator==(const MovingAverage&) const = default;
};

/// a - b, equal shapes.
struct Subtract {
  bool operator==(const Subtract&) const = default;
};

/// a * b, value by value, equal shapes.
struct Multiply {
  bool operator==(const Multiply&) const = default;
};

/// Every op that there is.
using OpVariant =
    std::variant<Input, Normalize, Conv2d, Linear, BatchNorm, Affine, Activation, Add, MaxPool2d,
                 AvgPool2d, GlobalAvgPool, Flatten, Dropout, Pad2d, LayerNorm, Attention, Reshape,
                 Transpose, Concat, Slice, ClassToken, PositionEmbedding, MatMul, AddIdentity,
                 SequencePool, Expand, MovingAverage, Subtract, Multiply>;

/// One of them, for std::visit(), std::get_if() and the like. It is copied, moved, compared and
/// destroyed in ops.cpp: in every file that includes this header the compiler would spend seconds
/// on so many alternatives.
struct Op : OpVariant {
  using OpVariant::OpVariant;
  Op(const Op& other);                 ///< a copy
  Op(Op&& other) noexcept;             ///< takes what `other` holds
  Op& operator=(const Op& other);      ///< a copy
  Op& operator=(Op&& other) noexcept;  ///< takes what `other` holds
  ~Op();
  /// Whether both are the same op with the same attributes.
  bool operator==(const Op& other) const;
};

/// "conv2d", "batch_norm", ...: the name in the text form, the packed file and the error messages.
std::string_view op_name(const Op& op);
std::string_view to_string(ActivationKind kind);  ///< "none", "relu", ...
std::string_view to_string(PositionKind kind);    ///< "learned", "sinusoidal"
std::string_view to_string(PoolKind kind);        ///< "max", "mean"

/// Which dimension of a shape has the channels: the first of an image, the last of others.
constexpr std::size_t channel_axis(const Shape& shape) {
  return shape.size() > 2 ? 0 : shape.size() - 1;
}

/// The encoding of an op that has a weight, else null.
const WeightEncoding* weights_of(const Op& op);
/// The same, to be changed.
WeightEncoding* weights_of(Op& op);

/// Overload set for std::visit: visit(Overloaded{[](const Conv2d&) {...}, ...}, op).
template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};
/// Deduces the types of the functions.
template <class... F>
Overloaded(F...) -> Overloaded<F...>;

}  // namespace tbn
