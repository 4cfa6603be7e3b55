// y[c] = act(gain[c] * (w * x)[row of c] + bias[c]) by look-ups.
//
// The tables of an input pixel hold the sums of its channels, five (or three) at a time, and serve
// every tap of every filter that meets the pixel. They are built for a band of input rows at a
// time, with zeros where the padding lies, and the rows of the output that the band gives are
// summed from them, one pixel after another.
#include <algorithm>

#include "runtime/cpu/exact/kernel.h"
#include "runtime/cpu/reference/layer.h"

namespace tbn::exact {
namespace {

// Tables of a band stay in a second-level cache.
constexpr std::int64_t kBandValues = 96 * 1024;

struct ConvPlan {
  reference::Layer layer;  // without its weights
  SignSums weights;
  Conv2d op;
  Shape input;                 // [C, H, W]
  Shape output;                // [n, H', W']
  std::int64_t band_rows = 1;  // of the output

  std::int64_t pixel() const {  // values of a pixel's tables
    return groups_of(*weights.isa, input[0]) * weights.isa->table;
  }
  std::int64_t padded_width() const { return input[2] + 2 * op.padding.w; }
  std::int64_t input_rows(std::int64_t output_rows) const {
    return (output_rows - 1) * op.stride.h + op.kernel.h;
  }
  std::int64_t table_values() const { return input_rows(band_rows) * padded_width() * pixel(); }
  std::int64_t scratch_values() const {
    return kLineValues + table_values() + output[2] * weights.padded_rows() + output[2];
  }

  // Whether a tap meets place i along one side, where the last window begins at (windows - 1) *
  // stride.
  static bool is_met(std::int64_t i, std::int64_t kernel, std::int64_t stride,
                     std::int64_t windows) {
    const std::int64_t window = std::min(i / stride, windows - 1);
    return i - window * stride < kernel;
  }

  // The tables of padded input rows [first, first + count).
  void build(const float* x, std::int64_t first, std::int64_t count, float* tables) const {
    const std::int64_t plane = input[1] * input[2];
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t y = first + i - op.padding.h;
      for (std::int64_t j = 0; j < padded_width(); ++j, tables += pixel()) {
        const std::int64_t z = j - op.padding.w;
        if (y < 0 || z < 0 || y >= input[1] || z >= input[2]) {
          std::fill_n(tables, pixel(), 0.0f);
        } else if (is_met(i, op.kernel.h, op.stride.h, band_rows) &&
                   is_met(j, op.kernel.w, op.stride.w, output[2])) {
          weights.build(x + y * input[2] + z, plane, input[0], tables);
        }
      }
    }
  }

  // Output row i from the sums of its pixels [W', padded rows].
  void finish_row(const float* sums, std::int64_t i, float* run, float* y) const {
    const std::int64_t width = output[2], stride = weights.padded_rows();
    for (std::int64_t r = 0; r < layer.rows; ++r) {
      for (std::int64_t j = 0; j < width; ++j) run[j] = sums[j * stride + r];
      for (std::int64_t copy = 0; copy < layer.copies(); ++copy) {
        const std::int64_t c = r * layer.row_step + copy * layer.copy_step;
        finish_output(layer, c, run, y + (c * output[1] + i) * width, width);
      }
    }
  }

  void run(const cpu::Buffers& b) const {
    float* tables = aligned(b.scratch);
    float* sums = tables + table_values();
    float* run = sums + output[2] * weights.padded_rows();
    const std::int64_t row = padded_width() * pixel();
    for (std::int64_t begin = 0; begin < output[1]; begin += band_rows) {
      const std::int64_t rows = std::min(band_rows, output[1] - begin);
      build(b.inputs[0], begin * op.stride.h, input_rows(rows), tables);
      for (std::int64_t i = 0; i < rows; ++i) {
        for (std::int64_t j = 0; j < output[2]; ++j) {
          weights.add(tables + i * op.stride.h * row + j * op.stride.w * pixel(),
                      sums + j * weights.padded_rows());
        }
        finish_row(sums, begin + i, run, b.output);
      }
    }
  }
};

}  // namespace

cpu::Kernel make_conv2d(const Graph& graph, const TensorMap& tensors, const Node& node,
                        const Isa& isa) {
  ConvPlan plan{.layer = reference::make_layer(graph, tensors, node),
                .op = std::get<Conv2d>(node.op),
                .input = graph.node(node.inputs.front()).shape,
                .output = node.shape};
  plan.weights.isa = &isa;
  const std::int64_t taps = plan.op.kernel.h * plan.op.kernel.w;
  std::vector<std::int64_t> offsets;
  for (std::int64_t h = 0; h < plan.op.kernel.h; ++h) {
    for (std::int64_t w = 0; w < plan.op.kernel.w; ++w) {
      offsets.push_back((h * plan.padded_width() + w) * plan.pixel());
    }
  }
  plan.weights = prepare(isa, plan.layer.rows, plan.input[0], offsets,
                         [&](std::int64_t r, std::int64_t tap, std::int64_t channel) {
                           const auto k = static_cast<std::size_t>(channel * taps + tap);
                           return plan.layer.row(r)[k] > 0;
                         });
  plan.layer.weights = {};
  const std::int64_t fitting = kBandValues / (plan.padded_width() * plan.pixel());
  plan.band_rows = std::clamp<std::int64_t>((fitting - plan.op.kernel.h) / plan.op.stride.h + 1, 1,
                                            plan.output[1]);
  const std::int64_t scratch = plan.scratch_values();
  return {.run = [plan = std::move(plan)](const cpu::Buffers& b) { plan.run(b); },
          .scratch_values = scratch};
}

}  // namespace tbn::exact
