// y[c] = act(sum over terms of gain[c] * (w * x)[row of c] + bias[c]): cross-correlation with
// padding, stride, groups.
//
// The input is first copied with its zero padding, and with the phases of the stride s apart, as
// [C, s_h, s_w, H_q, W_q]: value (s_h i + a, s_w j + b) of the padded map c lies at [c, a, b, i,
// j]. Then tap (c, kh, kw) of a filter meets all outputs of a map in one contiguous run, whatever
// the stride: output (y, x) needs [c, kh mod s_h, kw mod s_w, y + kh / s_h, x + kw / s_w]. Runs
// go over rows of W_q values, of which the last W_q - W' are not outputs and are dropped at the
// end.
#include <algorithm>

#include "runtime/cpu/reference/accumulate.h"
#include "runtime/cpu/reference/kernel.h"
#include "runtime/cpu/reference/layer.h"
#include "runtime/plan/packed_ops.h"

namespace tbn::reference {

namespace {

// Sums of this many values stay in the first-level cache.
constexpr std::int64_t kBlockValues = 2048;

struct ConvPlan {
  Layer layer;
  Conv2d op;
  Shape input;                     // [C, H, W]
  Shape output;                    // [n, H', W']
  Size2 phase;                     // H_q, W_q
  std::vector<std::int64_t> taps;  // offsets of the m taps of a filter within its group's maps
  std::int64_t block_rows = 1;     // output rows at a time

  std::int64_t plane() const { return phase.h * phase.w; }
  std::int64_t map() const { return op.stride.h * op.stride.w * plane(); }

  // Copies x [C, H, W] as described above into padded [C, map()].
  void spread(const float* x, float* padded) const {
    std::fill_n(padded, input[0] * map(), 0.0f);
    for (std::int64_t c = 0; c < input[0]; ++c) {
      for (std::int64_t i = 0; i < input[1]; ++i) {
        const std::int64_t y = i + op.padding.h;
        float* row = padded + c * map() + (y % op.stride.h) * op.stride.w * plane() +
                     (y / op.stride.h) * phase.w;
        const float* values = x + (c * input[1] + i) * input[2];
        for (std::int64_t j = 0; j < input[2]; ++j) {
          const std::int64_t z = j + op.padding.w;
          row[(z % op.stride.w) * plane() + z / op.stride.w] = values[j];
        }
      }
    }
  }

  // What filter r of term t adds to output rows [begin, end) of every output that is made of it.
  void filter(std::size_t t, std::int64_t r, std::int64_t begin, std::int64_t end,
              const float* padded, float* sums, float* y) const {
    const SumTerm& term = layer.terms[t];
    const std::int64_t group = op.groups == 1 ? 0 : r / (term.rows / op.groups);
    const float* source = padded + group * (input[0] / op.groups) * map() + begin * phase.w;
    const std::int64_t width = output[2];
    const std::int64_t count = (end - begin - 1) * phase.w + width;
    accumulate(layer.weights.row(term.first + r), taps.data(), source, sums, count);
    for (std::int64_t copy = 0; copy < term.copies(); ++copy) {
      const std::int64_t c = r * term.row_step + copy * term.copy_step;
      for (std::int64_t i = begin; i < end; ++i) {
        finish_output(layer, t, c, sums + (i - begin) * phase.w, y + (c * output[1] + i) * width,
                      width);
      }
    }
  }

  void run(const Buffers& b) const {
    float* padded = b.scratch;
    float* sums = padded + input[0] * map();
    spread(b.inputs[0], padded);
    for (std::int64_t begin = 0; begin < output[1]; begin += block_rows) {
      const std::int64_t end = std::min(begin + block_rows, output[1]);
      for (std::size_t t = 0; t < layer.terms.size(); ++t) {
        for (std::int64_t r = 0; r < layer.terms[t].rows; ++r) {
          filter(t, r, begin, end, padded, sums, b.output);
        }
      }
    }
  }
};

void list_taps(ConvPlan& plan) {
  const Conv2d& op = plan.op;
  for (std::int64_t c = 0; c < plan.input[0] / op.groups; ++c) {
    for (std::int64_t h = 0; h < op.kernel.h; ++h) {
      for (std::int64_t w = 0; w < op.kernel.w; ++w) {
        const std::int64_t plane = (h % op.stride.h) * op.stride.w + w % op.stride.w;
        plan.taps.push_back(c * plan.map() + plane * plan.plane() +
                            (h / op.stride.h) * plan.phase.w + w / op.stride.w);
      }
    }
  }
}

}  // namespace

Kernel make_conv2d(const Graph& graph, const TensorMap& tensors, const Node& node,
                   const RowsOf& rows_of) {
  ConvPlan plan{.layer = make_layer(graph, tensors, node, rows_of),
                .op = std::get<Conv2d>(node.op),
                .input = graph.node(node.inputs.front()).shape,
                .output = node.shape};
  const auto phases = [](std::int64_t size, std::int64_t padding, std::int64_t stride) {
    return (size + 2 * padding + stride - 1) / stride;
  };
  plan.phase = {phases(plan.input[1], plan.op.padding.h, plan.op.stride.h),
                phases(plan.input[2], plan.op.padding.w, plan.op.stride.w)};
  plan.block_rows = std::max<std::int64_t>(1, kBlockValues / plan.phase.w);
  list_taps(plan);
  const std::int64_t scratch =
      padded_values(plan.op, plan.input) + std::min(plan.block_rows, plan.output[1]) * plan.phase.w;
  return {.run = [plan = std::move(plan)](const Buffers& b) { plan.run(b); },
          .scratch_values = scratch};
}

}  // namespace tbn::reference
