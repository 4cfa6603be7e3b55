// The fast backends: the kernels of this folder where there is one for a node, else the
// reference's. Images lie channels last between them, [H, W, C].
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "graph/node_rows.h"
#include "runtime/cpu/common/kernel.h"
#include "runtime/cpu/fast/isa.h"
#include "runtime/cpu/fast/product.h"
#include "runtime/cpu/fast/weights.h"
#include "runtime/plan/layer_outputs.h"
#include "tbn/model.h"

namespace tbn::fast {

using cpu::Buffers;
using cpu::Kernel;

// Memory is handed out in cache lines.
inline constexpr std::int64_t kLineValues = 16;
inline std::int64_t lines(std::int64_t values) {  // up to whole ones
  return (values + kLineValues - 1) / kLineValues * kLineValues;
}

template <class Run>
Kernel in_floats(Run run) {
  return {.run = std::move(run), .name = "floats"};
}

// The instructions of this processor, the best first; the last ones every processor has.
const std::vector<Isa>& usable_isas();

// Whether sums under signs and integers are of floats, or of inputs rounded to bytes.
enum class InputRounding { kExact, kBytes };

// One kernel per node of a checked packed network, and where its values lie in another order than
// the graph says.
struct Kernels {
  std::vector<Kernel> of_nodes;
  std::vector<bool> channels_last;
};
Kernels make_kernels(const Graph& graph, const TensorMap& tensors, const RowsOf& rows_of,
                     InputRounding rounding, const Isa& isa, const Prepared& prepared);

// y [C, H, W] = x [H, W, C], and back.
void to_channels_first(const Isa& isa, const Shape& shape, const float* x, float* y);
void to_channels_last(const Isa& isa, const Shape& shape, const float* x, float* y);

// The images or vectors of a layer.
struct LayerImages {
  std::int64_t channels = 0;
  std::int64_t in_h = 1, in_w = 1, out_h = 1, out_w = 1;
  Size2 kernel = 1;
  Size2 stride = 1;
  Size2 padding = 0;
  bool per_row = false;  // each row is a vector with a range of its own (linear layers)
  std::int64_t stored_width() const { return in_w + 2 * padding.w; }
};
// The kernel of a layer of one term.
Kernel make_layer_kernel(const Isa& isa, const LayerImages& shape, LayerOutputs layer,
                         std::unique_ptr<Product> product);
// A convolution of each channel by itself; there is one row of weights per channel.
Kernel make_depthwise(const Isa& isa, const LayerImages& shape, LayerOutputs layer,
                      const DenseRows& weights);

// Kernels for images that lie channels last; the shapes are the graph's, [C, H, W].
Kernel make_max_pool(const Isa& isa, const MaxPool2d& op, const Shape& input, const Shape& output);
Kernel make_avg_pool(const Isa& isa, const AvgPool2d& op, const Shape& input, const Shape& output);
Kernel make_global_avg_pool(const Isa& isa, const Shape& input);
Kernel make_pad2d(const Pad2d& op, const Shape& input, const Shape& output);
// Kernels for values whose channels are last.
Kernel make_affine(const Isa& isa, const Affine& op, std::span<const float> scale,
                   std::span<const float> bias, std::int64_t pixels);
Kernel make_identity(std::int64_t count);
Kernel make_activation(const Isa& isa, ActivationKind kind, std::int64_t count);
Kernel make_add(const Isa& isa, ActivationKind activation, std::int64_t count);
Kernel make_transpose(const Isa& isa, const Shape& input);
Kernel make_layer_norm(const Isa& isa, const LayerNorm& op, std::span<const float> weight,
                       std::span<const float> bias, const Shape& shape);
Kernel make_attention(const Isa& isa, const Attention& op, std::span<const float> relative_bias,
                      std::size_t inputs, const Shape& output);

}  // namespace tbn::fast
