// A packed network as a microcontroller runs it: few kinds of steps, images with their channels
// last, real-valued scalars. Made from the packed graph by lower(); quantize() turns its scalars
// into integers, and c_source() writes either form as C99.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "tbn/ops.h"

namespace tbn::micro {

// The values of an image [H, W, C]; a vector is 1 x 1, a sequence [T, F] is T x 1.
struct Map {
  std::int64_t h = 1;
  std::int64_t w = 1;
  std::int64_t c = 1;
  std::int64_t size() const { return h * w * c; }
  bool operator==(const Map&) const = default;
};

struct Window {
  Size2 kernel = 1;
  Size2 stride = 1;
  Size2 padding = 0;
  std::int64_t taps() const { return kernel.h * kernel.w; }
};

// Unique rows of signs, each with `copies` outputs: copy i of row r is output
// r * row_step + i * copy_step.
struct RowSigns {
  std::int64_t rows = 0;
  std::int64_t copies = 1;
  std::int64_t row_step = 1;
  std::int64_t copy_step = 0;
  std::vector<std::uint8_t> positive;  // [rows, inputs], 1 or 0
};
// A tile whose ends cut rows: weight k of outputs * inputs is bit k mod q, times the alpha of slice
// k / q. Inputs count channels first, as in the packed file.
struct FlatSigns {
  std::vector<std::uint8_t> positive;  // [q]
  std::vector<float> alphas;           // one, or one per slice; those of outputs are gains
};
// Rows of integers of 8 bits at most, which have copies as those of signs do.
struct IntegerWeights {
  std::int64_t rows = 0;
  std::int64_t copies = 1;
  std::int64_t row_step = 1;
  std::int64_t copy_step = 0;
  std::vector<std::int8_t> values;  // [rows, inputs]
};
struct DenseWeights {
  std::vector<float> values;  // [outputs, inputs]
};
using Weights = std::variant<RowSigns, FlatSigns, IntegerWeights, DenseWeights>;

// y[c] = gain[c] * sum + bias[c], of a convolution, or of a linear layer as one of a 1 x 1 window.
// All weights but flat ones count the inputs of a window as they lie: row, column, channel. In
// a depthwise layer output c sees channel c / (outputs / channels) alone.
struct Layer {
  Window window;
  bool depthwise = false;
  std::int64_t outputs = 0;
  std::int64_t inputs = 0;  // of an output
  Weights weights;
  std::vector<float> gains;   // one, one per copy of the rows, or one per output
  std::vector<float> biases;  // [outputs], or empty
  bool relu = false;
};
struct Pool {
  PoolKind kind = PoolKind::kMax;
  Window window;
};
struct Sum {  // of two values
  bool relu = false;
};
struct ScaleChannels {  // y = gain[c] * x + bias[c]
  std::vector<float> gains;
  std::vector<float> biases;
  bool relu = false;
  bool normalizes_input = false;
  // Of a normalization, y = gain[c] * (x - mean[c]) as floats compute it: where the mean is many
  // deviations from 0, gain * x and bias would cancel to what rounding left of them.
  std::vector<float> means;
};
struct Activate {
  ActivationKind kind = ActivationKind::kRelu;
};
struct ChannelsFirst {};  // [H, W, C] -> [C, H, W]

using Action = std::variant<Layer, Pool, Sum, ScaleChannels, Activate, ChannelsFirst>;

struct MicroStep {
  std::string name;  // of the graph's node
  Action action;
  std::vector<int> inputs;  // values
  int output = 0;
  Map in;  // as the step sees its first input, and its output
  Map out;
};

// Value 0 is the input.
struct Network {
  std::string name;
  std::vector<std::int64_t> sizes;  // of the values
  std::vector<MicroStep> steps;
  Map input;
  int output = 0;
  bool takes_bytes = false;  // images are pixels 0..255; other inputs are floats

  std::int64_t size(int value) const { return sizes[static_cast<std::size_t>(value)]; }
};

// Multiply-adds that a step executes: 1 / p of a dense layer's where rows are reused.
std::int64_t multiply_adds(const MicroStep& step);

}  // namespace tbn::micro
